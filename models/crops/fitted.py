"""The yardstick: one maximum-likelihood fit for each crop, with the spots as they are stated (`models/fitting`)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.crops.scoring import Answer, Float32, Float64
from models.fitting.fit import fit
from models.fitting.start import guess
from models.optics.low_rank import LowRankSpot

REACH_PX, STARTS, WITHIN = 2, 5, 0.95
"""Pixels a fit may move off the centre; values of z that it may start from, within this share of the spots' depth."""


def fitting(spot: LowRankSpot, side_px: int) -> Answer:
    """Return fits as answers for crops of an even side; their window lacks the last row and column.

    Parameters
    ----------
    spot : LowRankSpot
    side_px : int
    """
    window = spot.cropped(side_px - 1, REACH_PX)
    low, high = spot.z_range_nm
    z = np.linspace(WITHIN * low, WITHIN * high, STARTS).tolist()
    pixel = spot.pixel_size_nm

    def answer(counts: Float32, variance: Float32) -> dict[str, Float64]:
        pixels, noise = (np.asarray(part[:, :-1, :-1], np.float64) for part in (counts, variance))
        fits = fit(window, pixels, guess(window, pixels, z), noise)
        x, y, z_nm, photons, background = np.where(fits.converged[:, None], fits.parameters, np.nan).T
        sigma: NDArray[np.float64] = fits.sigma
        return {
            "x_px": x / pixel - 0.5, "y_px": y / pixel - 0.5, "z_nm": z_nm, "photons": photons,
            "background": background, "sigma_x_px": sigma[:, 0] / pixel, "sigma_y_px": sigma[:, 1] / pixel,
            "sigma_z_nm": sigma[:, 2], "sigma_photons": sigma[:, 3],
        }  # fmt: skip

    return answer
