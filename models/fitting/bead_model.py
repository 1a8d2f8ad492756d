"""What is expected of one bead in a stack, and how that changes with the pupil and with what is the bead's own.

Own parameters: x, y and focus in nm; photons of each slice; background of each slice.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.fitting.likelihood import deviance, score
from models.optics import zernike
from models.optics.vectorial import Aberration, VectorialSpot

Float64 = NDArray[np.float64]
LEAST_LIGHT = 1e-3
POSITION = 3
Place = tuple[float, float, float]
"""x, y and focus of a bead, in nm."""


def phase_basis(spot: VectorialSpot, modes: tuple[int, ...]) -> Float64:
    """Return what a wave of each Noll mode adds to the pupil's phase, (modes, N, N) rad."""
    pupil = spot.propagator.pupil
    if not modes:
        return np.zeros((0, *pupil.x.shape))
    return np.asarray(2 * np.pi * zernike.basis(modes, pupil.x, pupil.y))


class BeadModel:
    """One bead of a retrieval.

    Parameters
    ----------
    spot : VectorialSpot
        Its window is that of the stack.
    counts : (z, y, x) float
        Photo-electrons over the excess noise factor.
    focus_nm : (z,) float
        Stage position of each slice, positive towards the objective.
    variance : float or (y, x)
        Of the read noise.

    Raises
    ------
    ValueError
        The stack has other slices or another window.
    """

    def __init__(self, spot: VectorialSpot, counts: Float64, focus_nm: Float64, variance: float | Float64) -> None:
        if counts.shape != (len(focus_nm), spot.size_px, spot.size_px):
            raise ValueError(
                f"the stack has shape {counts.shape}, but there are {len(focus_nm)} stage positions and a window of "
                f"{spot.size_px} pixels: it must be (z, y, x) of these"
            )
        self._spot, self._focus, self.shape = spot, np.asarray(focus_nm, float), counts.shape
        self.counts = counts.reshape(1, -1).astype(float)
        self._variance = np.broadcast_to(variance, counts.shape).reshape(1, -1).astype(float)
        pupil = spot.propagator.pupil
        self._moves = np.stack([-pupil.k_edge * pupil.x, -pupil.k_edge * pupil.y, pupil.kz_immersion.real])

    @property
    def parameters(self) -> int:
        """Number of its own parameters."""
        return POSITION + 2 * len(self._focus)

    def start(self, place_nm: Place | None = None) -> Float64:
        """Return where a fit begins: light from border and sums.

        Parameters
        ----------
        place_nm : (x, y, focus) or None
            Of the bead; None: in the middle, in focus in the slice with the highest peak.
        """
        slices = self.counts.reshape(self.shape)
        border = np.concatenate((slices[:, 0], slices[:, -1], slices[:, :, 0], slices[:, :, -1]), axis=1)
        background = np.maximum(np.median(border, axis=1), LEAST_LIGHT)
        photons = np.maximum(slices.sum((1, 2)) - background * self.shape[1] * self.shape[2], 1.0)
        peaks = (slices - background[:, None, None]).max((1, 2)) / photons
        place_nm = place_nm or (0.0, 0.0, float(-self._focus[np.argmax(peaks)]))
        return np.concatenate((place_nm, photons, background))

    def light(self, own: Float64) -> tuple[Float64, Float64]:
        """Return photons and background of each slice."""
        z = len(self._focus)
        return own[POSITION : POSITION + z], own[POSITION + z :]

    def mean(self, phase_rad: Float64, own: Float64) -> Float64:
        """Return the expected counts (z, y, x) behind a pupil's phase (N, N)."""
        photons, background = self.light(own)
        images = self._spot(np.zeros((len(photons), 3)), self._aberration(phase_rad, own))
        return np.asarray(photons[:, None, None] * images + background[:, None, None])

    def cost(self, mean: Float64) -> float:
        """Return the deviance of the counts from what was expected."""
        return float(deviance(self.counts, mean.reshape(1, -1), self._variance)[0])

    def equations(self, phase_rad: Float64, basis: Float64, own: Float64) -> tuple[Float64, Float64]:
        """Return gradient (p,) and Fisher information (p, p); first the coefficients of the basis, then its own.

        The slopes only say where to go, and single precision doubles their speed; what is expected stays double.
        """
        z, m = len(self._focus), len(basis)
        photons, _ = self.light(own)
        images, slopes = self._spot.with_phase_gradient(
            np.zeros((z, 3), np.float32), self._aberration(phase_rad, own, np.float32),
            np.concatenate((basis, self._moves), dtype=np.float32),
        )  # fmt: skip
        jacobian = np.zeros((m + self.parameters, *self.shape))
        jacobian[: m + POSITION] = np.moveaxis(slopes * photons[:, None, None, None], 0, 1)
        slices = np.arange(z)
        jacobian[m + POSITION + slices, slices] = images
        jacobian[m + POSITION + z + slices, slices] = 1.0
        mean = self.mean(phase_rad, own).reshape(1, -1)
        gradient, information = score(self.counts, mean, jacobian.reshape(1, len(jacobian), -1), self._variance)
        return gradient[0], information[0]

    def _aberration(self, phase_rad: Float64, own: Float64, dtype: type = np.float64) -> Aberration:
        phase: NDArray[np.floating] = np.asarray(phase_rad + np.tensordot(own[:POSITION], self._moves, 1), dtype)
        return Aberration(self._focus.astype(dtype), np.broadcast_to(phase, (len(self._focus), *phase.shape)))


def possible(own: Float64) -> Float64:
    """Return own parameters with light above nothing."""
    return np.concatenate((own[:POSITION], np.maximum(own[POSITION:], LEAST_LIGHT)))
