"""The yardstick: one maximum-likelihood fit for each crop, with the spots as they are stated (`models/fitting`)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.crops.scoring import Answer, Float32, Float64
from models.fitting.fit import Fits, fit
from models.fitting.start import guess
from models.optics.low_rank import LowRankSpot

REACH_PX, STARTS, WITHIN = 2, 5, 0.95
"""Pixels a fit may move off the centre; values of z that it may start from, within this share of the spots' depth."""


def window_of(spot: LowRankSpot, side_px: int) -> LowRankSpot:
    """Return spots in the window of crops of an even side, which lacks their last row and column."""
    return spot.cropped(side_px - 1, REACH_PX)


def fits_of(
    window: LowRankSpot, counts: Float32, variance: Float32, within: tuple[float, float] = (-WITHIN, WITHIN)
) -> Fits:  # fmt: skip
    """Return a fit for each crop, its position in nm from the centre of the window.

    Parameters
    ----------
    window : LowRankSpot
        As `window_of` gives it.
    counts, variance : (n, y, x) float32
        Photo-electrons over F^2, and the variance of their read noise.
    within : (float, float)
        Between which values of z a fit starts, as shares of the spots' depth.
    """
    low, high = window.z_range_nm
    z = (low + high) / 2 + (high - low) / 2 * np.linspace(*within, STARTS)
    pixels, noise = (np.asarray(part[:, :-1, :-1], np.float64) for part in (counts, variance))
    return fit(window, pixels, guess(window, pixels, z.tolist()), noise)


def fitting(spot: LowRankSpot, side_px: int) -> Answer:
    """Return fits as answers for crops.

    Parameters
    ----------
    spot : LowRankSpot
    side_px : int
        Even.
    """
    window, pixel = window_of(spot, side_px), spot.pixel_size_nm

    def answer(counts: Float32, variance: Float32) -> dict[str, Float64]:
        fits = fits_of(window, counts, variance)
        x, y, z_nm, photons, background = np.where(fits.converged[:, None], fits.parameters, np.nan).T
        sigma: NDArray[np.float64] = fits.sigma
        return {
            "x_px": x / pixel - 0.5, "y_px": y / pixel - 0.5, "z_nm": z_nm, "photons": photons,
            "background": background, "sigma_x_px": sigma[:, 0] / pixel, "sigma_y_px": sigma[:, 1] / pixel,
            "sigma_z_nm": sigma[:, 2], "sigma_photons": sigma[:, 3],
        }  # fmt: skip

    return answer
