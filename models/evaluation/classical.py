"""The gold standard that networks are compared with: local maxima, then a maximum-likelihood fit of each alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, maximum_filter

from models.camera import Camera
from models.evaluation.conditions import Conditions, Locate
from models.fitting.fit import Fits, Options, fit
from models.fitting.start import guess
from models.localizations import Localizations, empty
from models.optics.expected import PARAMETERS
from models.optics.low_rank import LowRankSpot
from models.optics.spot import DifferentiableSpot

CORE_PX, SURROUND_PX = 1.3, 4.0
CLEAR = 5.0
"""A maximum counts from so many standard deviations of the filtered frame."""
STARTS = 5
"""Values of z that a fit may start from."""
WINDOW_PX, REACH_PX = 17, 2
BLURRED_PX = 0.7
"""Fits whose lateral uncertainty is larger are no localizations."""


def classical(conditions: Conditions) -> Locate:
    """Return a localizer that knows the spot and fits one emitter at a time."""
    spot: DifferentiableSpot = conditions.spot
    if isinstance(spot, LowRankSpot):
        spot = spot.cropped(min(WINDOW_PX, spot.size_px + 2 * (spot.reach_px - REACH_PX)), REACH_PX)
    half = 0.95 * conditions.half_depth_nm
    z = np.linspace(-half, half, STARTS).tolist() if half else [0.0]

    def locate(stack: NDArray[np.uint16], camera: Camera) -> Localizations:
        counts = camera.photo_electrons(stack) / np.float32(camera.excess)
        frame, row, column = _maxima(counts, spot.size_px // 2)
        if not len(frame):
            return empty()
        windows = np.stack([_window(counts[f], r, c, spot.size_px) for f, r, c in zip(frame, row, column, strict=True)])
        free = tuple(name for name in PARAMETERS if name != "z_nm" or half)
        variance = np.asarray(camera.variance_e2) / camera.excess**2
        fits = fit(spot, windows.astype(float), guess(spot, windows.astype(float), z), variance, Options(free=free))
        return _table(fits, frame, row, column, spot, camera, bool(half))

    return locate


def _maxima(counts: NDArray[np.float32], margin: int) -> tuple[NDArray[np.int64], ...]:
    """Return frame, row and column of the local maxima that stand out."""
    band = gaussian_filter(counts, (0, CORE_PX, CORE_PX)) - gaussian_filter(counts, (0, SURROUND_PX, SURROUND_PX))
    spread = 1.4826 * np.median(np.abs(band - np.median(band, axis=(1, 2), keepdims=True)), axis=(1, 2), keepdims=True)
    found = (band == maximum_filter(band, (0, 5, 5))) & (band > CLEAR * spread)
    inside = np.zeros_like(found)
    inside[:, margin:-margin, margin:-margin] = True
    return np.nonzero(found & inside)


def _window(frame: NDArray[np.float32], row: int, column: int, size: int) -> NDArray[np.float32]:
    reach = size // 2
    return frame[row - reach : row + reach + 1, column - reach : column + reach + 1]


def _table(
    fits: Fits, frame: NDArray[np.int64], row: NDArray[np.int64], column: NDArray[np.int64],
    spot: DifferentiableSpot, camera: Camera, deep: bool,
) -> Localizations:  # fmt: skip
    pixel, (x, y, z, photons, background) = spot.pixel_size_nm, fits.parameters.T
    goodness = fits.deviance / (spot.size_px**2 - 5)
    good = fits.converged & (fits.sigma[:, :2] < BLURRED_PX * pixel).all(1)
    to_photons = camera.excess / camera.quantum_efficiency
    columns = {
        "frame": frame, "x_nm": x + (column + 0.5) * pixel, "y_nm": y + (row + 0.5) * pixel,
        "sigma_x_nm": fits.sigma[:, 0], "sigma_y_nm": fits.sigma[:, 1], "photons": photons * to_photons,
        "sigma_photons": fits.sigma[:, 3] * to_photons, "background": background * camera.excess, "goodness": goodness,
    }  # fmt: skip
    depth = {"z_nm": z, "sigma_z_nm": fits.sigma[:, 2]} if deep else {}
    return Localizations(columns | depth).where(good)
