"""How wide spots are, as their uncertainties say: what tells of focus where no width was fitted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

ROUNDS = 12


def apparent_sigma_nm(
    sigma_nm: NDArray[np.floating[Any]],
    photons: NDArray[np.floating[Any]],
    background: NDArray[np.floating[Any]],
    pixel_nm: float,
) -> NDArray[np.float64]:
    """Return the standard deviation in nm of the Gaussian spot that would have these uncertainties, (n,).

    The Cramér-Rao bound var = s^2 / N (1 + 4 t + sqrt(2 t / (1 + 4 t))), t = 2 pi s^2 b / (N a^2), solved for s
    (Rieger & Stallinga, ChemPhysChem 2014, eq. 4). What a network's uncertainty is above the bound widens the spot, so
    the number is for comparison with itself.

    Parameters
    ----------
    sigma_nm : (n,)
        Lateral uncertainty.
    photons, background : (n,)
        N in photo-electrons, b in photo-electrons per pixel.
    pixel_nm : float
        a.
    """
    light = np.maximum(np.asarray(photons, np.float64), 1.0)
    target = np.asarray(sigma_nm, np.float64) ** 2 * light
    ratio = 2 * np.pi * np.maximum(np.asarray(background, np.float64), 0.0) / (light * pixel_nm**2)
    width2 = target.copy()
    for _ in range(ROUNDS):  # the mean of the old and the new value in the logarithm: converges for all t
        tau = ratio * width2
        width2 = np.sqrt(width2 * target / (1 + 4 * tau + np.sqrt(2 * tau / (1 + 4 * tau))))
    return np.sqrt(width2)
