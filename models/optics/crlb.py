"""Cramer-Rao bound of a pixel-integrated Gaussian spot on a flat background (Smith et al. 2010)."""

from __future__ import annotations

import numpy as np

from models.optics.gaussian import profiles

STEP = 1e-3


def gaussian_crlb_px(
    sigma_px: float, photons: float, background: float, variance_e2: float = 0.0, excess: float = 1.0, size_px: int = 25
) -> float:
    """Return the smallest standard deviation of x that an unbiased estimator can have, in pixels.

    Parameters
    ----------
    sigma_px : float
        Standard deviation of the spot.
    photons, background : float
        Photo-electrons of the emitter; photo-electrons per pixel.
    variance_e2 : float
        Read-noise variance in photo-electrons squared: it adds to the Poisson variance (Huang et al. 2013).
    excess : float
        Excess noise factor F**2; 2 behind an EM register.
    size_px : int
        Edge of the window.

    The bound is averaged over the position within the pixel; free parameters are x, y, photons and background.
    """

    def mean(x: float, y: float, n: float, b: float) -> np.ndarray:
        gx, gy = profiles(np.array([x, y], np.float64), sigma_px, size_px)
        return np.asarray(n * np.outer(gy, gx) + b, np.float64).ravel()

    bounds = []
    for shift in np.linspace(-0.4, 0.4, 5):
        theta = np.array([size_px / 2 + shift, size_px / 2 + shift, photons, background + 1e-6])
        steps = np.diag(np.maximum(STEP * np.array([1, 1, photons, max(background, 1)]), 1e-6)) * 20
        jacobian = np.stack([(mean(*(theta + d)) - mean(*(theta - d))) / (2 * d.sum()) for d in steps])
        noise = excess * mean(*theta) + variance_e2
        bounds.append(np.linalg.inv(jacobian / noise @ jacobian.T)[0, 0])
    return float(np.sqrt(np.mean(bounds)))
