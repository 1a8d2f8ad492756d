"""The pupil's phase from bead stacks: maximum likelihood with exact derivatives, one pupil behind several beads.

Free are Zernike coefficients and, for each bead, x, y, focus, and photons and background of each slice.
Sources: Hanser et al., J. Microsc. 216 (2004) for the task; Fisher scoring as in `models/fitting/fit.py`.

The images do not tell whether the stage moved up or down (even aberrations change sign with it), nor a turn by
180 degrees (odd ones do). Both must be known of the microscope.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.fitting.bead_model import BeadModel, Place, phase_basis, possible
from models.fitting.retrieved import Retrieved, RetrievedBead
from models.optics.vectorial import VectorialSpot

Float64 = NDArray[np.float64]
MODES = tuple(range(5, 29))
"""Noll indices that are free unless told otherwise: tilt and defocus are the bead's position."""
FIRST_DAMPING, EASE, STIFFEN, HOPELESS = 1e-2, 0.2, 6.0, 1e7
STILL = 0.05
"""A step that gains less deviance than this, times chi-square, is the last one."""


def retrieve(
    spot: VectorialSpot,
    stacks: Sequence[Float64],
    focus_nm: Float64,
    modes: tuple[int, ...] = MODES,
    start_waves: Mapping[int, float] | None = None,
    variance: Sequence[float | Float64] | float = 0.0,
    most_steps: int = 40,
    places_nm: Sequence[Place | None] | None = None,
) -> Retrieved:
    """Fit bead stacks that share a pupil.

    Parameters
    ----------
    spot : VectorialSpot
        The optics without the aberrations that are looked for; its window is that of the stacks.
    stacks : sequence of (z, y, x) float
        Photo-electrons over the excess noise factor; one for each bead.
    focus_nm : (z,) float
        Stage position of each slice, positive towards the objective.
    modes : tuple of int
        Noll indices of the free coefficients.
    start_waves : mapping of Noll index to float
        Where to start; zero for what is not named.
    variance : float, or sequence of float or (y, x)
        Of the read noise, for all beads or for each.
    most_steps : int
    places_nm : sequence of (x, y, focus) or None, or None
        Where each bead starts; None: in the middle, in focus where it is brightest.

    Raises
    ------
    ValueError
        A stack has other slices or another window.
    """
    variances = [variance] * len(stacks) if isinstance(variance, int | float) else variance
    beads = [BeadModel(spot, stack, focus_nm, v) for stack, v in zip(stacks, variances, strict=True)]
    return _Retrieval(beads, phase_basis(spot, modes), modes).run(start_waves or {}, most_steps, places_nm)


class _Retrieval:
    """Parameters: a coefficient for each mode, then each bead's own."""

    def __init__(self, beads: list[BeadModel], basis: Float64, modes: tuple[int, ...]) -> None:
        self._beads, self._basis, self._modes = beads, basis, modes
        edges = np.cumsum([len(modes), *(bead.parameters for bead in beads)])
        self._freedom = sum(bead.counts.size for bead in beads) - int(edges[-1])
        self._own = [slice(first, last) for first, last in pairwise(edges.tolist())]

    def run(
        self, start_waves: Mapping[int, float], most_steps: int, places_nm: Sequence[Place | None] | None
    ) -> Retrieved:
        waves = [start_waves.get(j, 0.0) for j in self._modes]
        places = [None] * len(self._beads) if places_nm is None else places_nm
        theta = np.concatenate((waves, *(bead.start(at) for bead, at in zip(self._beads, places, strict=True))))
        cost, damping, converged = self._cost(theta), FIRST_DAMPING, False
        gradient, information = self._equations(theta)
        for _ in range(most_steps):
            trial = self._possible(theta + _step(gradient, information, damping))
            new = self._cost(trial)
            if new > cost:
                damping *= STIFFEN
                if damping > HOPELESS:
                    break
                continue
            gain, theta, cost, damping = cost - new, trial, new, damping * EASE
            gradient, information = self._equations(theta)
            if gain < STILL * max(1.0, cost / self._freedom):
                converged = True
                break
        return self._result(theta, cost, information, converged)

    def _phase(self, theta: Float64) -> Float64:
        return np.asarray(np.tensordot(theta[: len(self._modes)], self._basis, 1))

    def _cost(self, theta: Float64) -> float:
        phase = self._phase(theta)
        return sum(bead.cost(bead.mean(phase, theta[own])) for bead, own in zip(self._beads, self._own, strict=True))

    def _equations(self, theta: Float64) -> tuple[Float64, Float64]:
        phase, m = self._phase(theta), len(self._modes)
        gradient, information = np.zeros(len(theta)), np.zeros((len(theta), len(theta)))
        for bead, own in zip(self._beads, self._own, strict=True):
            by, between = bead.equations(phase, self._basis, theta[own])
            gradient[:m] += by[:m]
            gradient[own] = by[m:]
            information[:m, :m] += between[:m, :m]
            information[:m, own], information[own, :m] = between[:m, m:], between[m:, :m]
            information[own, own] = between[m:, m:]
        return gradient, information

    def _possible(self, theta: Float64) -> Float64:
        return np.concatenate((theta[: len(self._modes)], *(possible(theta[own]) for own in self._own)))

    def _result(self, theta: Float64, cost: float, information: Float64, converged: bool) -> Retrieved:
        m, phase = len(self._modes), self._phase(theta)
        covariance = _inverse(information)[:m, :m]
        beads = tuple(_bead(bead, phase, theta[own]) for bead, own in zip(self._beads, self._own, strict=True))
        return Retrieved(
            zernike_waves=dict(zip(self._modes, theta[:m].tolist(), strict=True)),
            sigma_waves=dict(zip(self._modes, np.sqrt(np.diag(covariance)).tolist(), strict=True)),
            covariance_waves2=covariance, beads=beads, chi2=cost / self._freedom,
            freedom=self._freedom, converged=converged,
        )  # fmt: skip


def _bead(bead: BeadModel, phase: Float64, own: Float64) -> RetrievedBead:
    mean, (x, y, focus), (photons, background) = bead.mean(phase, own), own[:3].tolist(), bead.light(own)
    chi2 = bead.cost(mean) / (bead.counts.size - bead.parameters)
    return RetrievedBead(x, y, focus, photons, background, mean, chi2)


def _step(gradient: Float64, information: Float64, damping: float) -> Float64:
    scale = np.sqrt(np.maximum(np.diag(information), 1e-30))
    normal = information / np.outer(scale, scale) + damping * np.eye(len(scale))
    return np.asarray(np.linalg.solve(normal, gradient / scale) / scale)


def _inverse(information: Float64) -> Float64:
    scale = np.sqrt(np.maximum(np.diag(information), 1e-30))
    return np.asarray(np.linalg.pinv(information / np.outer(scale, scale)) / np.outer(scale, scale))
