"""What a retrieval says: the aberrations, each bead behind them, and how well the model explains the counts."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
SURE = 3.5
"""Chi-square is accepted up to so many of its standard deviations above 1."""


@dataclass(frozen=True, slots=True)
class RetrievedBead:
    """What a retrieval says of one bead.

    Parameters
    ----------
    x_nm, y_nm, focus_nm : float
        From the centre of the window, and added to the focus of each slice.
    photons, background : (z,) float
        Of each slice.
    model : (z, y, x) float
        What was expected.
    chi2 : float
        Deviance over the number of pixels less that of the bead's parameters.
    """

    x_nm: float
    y_nm: float
    focus_nm: float
    photons: Float64
    background: Float64
    model: Float64
    chi2: float

    @property
    def place_nm(self) -> tuple[float, float, float]:
        """x, y and focus."""
        return self.x_nm, self.y_nm, self.focus_nm


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What bead stacks tell.

    Parameters
    ----------
    zernike_waves, sigma_waves : dict of Noll index to float
        Coefficients and their Cramer-Rao bounds; the pupil of the spot has its own beside them.
    covariance_waves2 : (modes, modes) float
        Of the coefficients, in their order.
    beads : tuple of RetrievedBead
    chi2 : float
        Deviance over the number of pixels less that of parameters: about 1 where the model is right.
    freedom : int
        That number.
    converged : bool
    """

    zernike_waves: dict[int, float]
    sigma_waves: dict[int, float]
    covariance_waves2: Float64
    beads: tuple[RetrievedBead, ...]
    chi2: float
    freedom: int
    converged: bool

    @property
    def explained(self) -> bool:
        """Whether the model explains the data within the noise."""
        return self.chi2 < 1 + SURE * sqrt(2 / self.freedom)

    @property
    def error_waves(self) -> float:
        """Expected root mean square error of the wavefront, by the Cramer-Rao bound."""
        return sqrt(float(np.trace(self.covariance_waves2)))
