"""What goes into the joint fit and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Candidates:
    """What a network found; counts are photo-electrons / F**2.

    Parameters
    ----------
    frame : (n,) int64
        Index into the frames.
    position : (n, 3) float64
        x and y in pixels from the outer corner; third coordinate of the spot.
    sigma : (n, 3) float64
        Uncertainties of the position.
    photons, background : (n,) float64
        Counts; counts per pixel.
    structure : (n, window, window) float32 or None
        What each pixel of a candidate's window has beside `background`; it is not fitted. The mean is 0.
    """

    frame: NDArray[np.int64]
    position: Float64
    sigma: Float64
    photons: Float64
    background: Float64
    structure: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """How to fit.

    Parameters
    ----------
    rounds : int
        Scoring steps.
    prior, crowded_prior : float
        The candidate's position is known to so many of its stated uncertainties; closer where others overlap, because
        there a fit can run away.
    background_prior : float
        The candidate's background is known to this part.
    neighbours, frames : bool
        Whether others in the window count, and whether the frames before and after do.
    threads : int
    """

    rounds: int = 6
    prior: float = 4.0
    crowded_prior: float = 1.5
    background_prior: float = 0.3
    neighbours: bool = True
    frames: bool = True
    threads: int = 1


@dataclass(frozen=True, slots=True)
class Fitted:
    """What came out, rows as the candidates.

    Parameters
    ----------
    position : (n, 3) float64
    sigma : (n, 3) float64
        Cramer-Rao bounds at the solution; the prior is not counted in, infinite if the light does not tell.
    photons, sigma_photons, background : (n,) float64
    goodness, goodness_before : (n,) float64
        Chi-square per degree of freedom of the solution, and of the candidate as it came.
    freedom : (n,) float64
        Degrees of freedom.
    """

    position: Float64
    sigma: Float64
    photons: Float64
    sigma_photons: Float64
    background: Float64
    goodness: Float64
    goodness_before: Float64
    freedom: Float64


def nothing_fitted(count: int) -> Fitted:
    """Return the result for candidates of which none is fitted."""
    none = np.full((count, 3), np.nan)
    return Fitted(none, none, *([none[:, 0]] * 6))
