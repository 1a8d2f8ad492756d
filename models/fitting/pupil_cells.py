"""The cells of a pupil as what a fit searches, and the prior that keeps them from being noise.

The prior is a Gaussian Markov random field of first order (Rue & Held 2005, ch. 3): cells differ from their neighbours
by a normal deviate. Its sum over the pupil does not depend on how many cells there are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.ndimage import distance_transform_edt

from models.fitting.bead_model import POSITION, Place
from models.optics.pupil_map import PupilMap
from models.optics.vectorial import VectorialSpot

Float64 = NDArray[np.float64]
Vector = np.ndarray[tuple[int], np.dtype[np.float64]]
STEP_RAD, STEP_LOG_AMPLITUDE = 0.3, 0.1
"""Standard deviation of what neighbouring cells differ by."""


class PupilCells:
    """Parameters: phase of each cell, logarithm of each amplitude, then x, y, focus of each bead in units of its own.

    A bead's units move the phase of all cells together by about as much as one unit of a cell moves that cell.

    Parameters
    ----------
    spot : VectorialSpot
    """

    def __init__(self, spot: VectorialSpot) -> None:
        pupil = spot.propagator.pupil
        self._light = pupil.products[:3].sum(0)
        self.inside = self._light > 0
        self.count = int(self.inside.sum())
        self.moves = np.stack([-pupil.k_edge * pupil.x, -pupil.k_edge * pupil.y, pupil.kz_immersion.real])
        self.unit_nm = 1 / np.linalg.norm(self.moves[:, self.inside], axis=1)
        flat = np.concatenate((np.ones((1, self.count)), self.moves[:, self.inside]))
        self._gauge = np.linalg.qr(flat.T)[0]
        self._laplacian = _laplacian(self.inside)

    def start(self, places_nm: Sequence[Place]) -> Vector:
        """Return cells without effect, and the beads at their places."""
        return np.concatenate((np.zeros(2 * self.count), np.ravel(np.array(places_nm) / self.unit_nm)))

    def own(self, theta: Float64) -> Float64:
        """Return what belongs to the beads, (beads, 3), as a view."""
        return theta[2 * self.count :].reshape(-1, POSITION)

    def places_nm(self, theta: Float64) -> Float64:
        """Return x, y and focus of each bead, (beads, 3)."""
        return np.asarray(self.own(theta) * self.unit_nm)

    def complex_phase(self, theta: Float64) -> NDArray[np.complex128]:
        """Return phase and absorption, (N, N)."""
        phase, amplitude = theta[: 2 * self.count].reshape(2, -1)
        result = np.zeros(self.inside.shape, complex)
        result[self.inside] = phase - 1j * amplitude
        return result

    def prior(self, theta: Float64) -> tuple[float, Float64]:
        """Return twice the negative logarithm of the prior, and its derivative."""
        slope = np.zeros_like(theta)
        for k, sigma in enumerate((STEP_RAD, STEP_LOG_AMPLITUDE)):
            part = slice(k * self.count, (k + 1) * self.count)
            slope[part] = 2 / sigma**2 * (self._laplacian @ theta[part])
        return float(theta @ slope) / 2, slope

    def without_gauge(self, slope: Float64) -> Float64:
        """Take off what the beads' places and photons say already, so that the cells never go there."""
        phase, amplitude = slope[: self.count], slope[self.count : 2 * self.count]
        phase -= self._gauge @ (self._gauge.T @ phase)
        amplitude -= amplitude.mean()
        return slope

    def pupil(self, theta: Float64) -> PupilMap:
        """Return the cells on the whole square; the outside continues the nearest cell."""
        nearest = distance_transform_edt(~self.inside, return_distances=False, return_indices=True)
        phase = self.complex_phase(theta)[tuple(nearest)]
        amplitude = np.exp(-phase.imag)
        through = (self._light * amplitude**2).sum() / self._light.sum()
        return PupilMap(phase.real, amplitude / np.sqrt(through))


def _laplacian(inside: NDArray[np.bool_]) -> sparse.csr_array:
    """Return the matrix L of sum over neighbours (u_i - u_j)^2 = u L u, for the cells inside in their order."""
    number = np.full(inside.shape, -1)
    number[inside] = np.arange(inside.sum())
    sides = [(number[:-1], number[1:]), (number[:, :-1], number[:, 1:])]
    pairs = np.concatenate([np.stack((one.ravel(), other.ravel()), 1) for one, other in sides])
    pairs = pairs[(pairs >= 0).all(1)]
    rows = np.repeat(np.arange(len(pairs)), 2)
    difference = sparse.csr_array((np.tile([1.0, -1.0], len(pairs)), (rows, pairs.ravel())))
    return sparse.csr_array(difference.T @ difference)
