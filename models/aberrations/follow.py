"""The pupil of a running microscope, followed from blinking molecules.

Each molecule has x, y, z, photons and background of its own, all share the pupil. What is its own is eliminated from
its normal equations (Schur complement); what is left says how much the molecule tells of the pupil. The sum over many
is joined with what was known before, which fades: coefficients wander by some root mean square in each second. This is
an iterated extended Kalman filter with the exact image as its measurement (Bell & Cathey, IEEE Trans. Autom. Control
38, 1993). Retrieval from molecules in their sample: Xu et al., Nat. Methods 17 (2020), there by averaged classes.

Positions stay apart from the pupil: tilts and defocus of all molecules together are no parameters here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.aberrations.molecules import Molecules
from models.aberrations.over_field import Evidence
from models.aberrations.wavefront import SHAPE
from models.fitting.bead_model import phase_basis
from models.fitting.likelihood import deviance, score
from models.optics.vectorial import Aberration, VectorialSpot

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
OWN = 5
ROUNDS = 3
WORST = 4.0
"""Molecules whose chi-square is so many deviations above the median of all hold somebody else's light too."""
LONGEST_NM, FASTEST = 150.0, 0.5
"""A molecule's own step: at most so far, and so much of its photons."""


@dataclass(frozen=True, slots=True)
class State:
    """What is known of the pupil.

    Parameters
    ----------
    waves : (modes,) float64
        Coefficients of Noll 5 to 28, beside what the spot has.
    covariance_waves2 : (modes, modes) float64
    chi2 : float
        Of the newest molecules, the median per degree of freedom; nan before the first.
    molecules : int
        That the newest estimate used.
    evidence : Evidence or None
        What each of them told.
    """

    waves: Float64
    covariance_waves2: Float64
    chi2: float = float("nan")
    molecules: int = 0
    evidence: Evidence | None = None

    @property
    def sigma_waves(self) -> Float64:
        """Standard deviation of each coefficient."""
        return np.asarray(np.sqrt(np.diag(self.covariance_waves2)))

    @property
    def error_waves(self) -> float:
        """Expected root mean square error of the wavefront."""
        return float(np.sqrt(np.trace(self.covariance_waves2)))


def unknown(sigma_waves: float, waves: Float64 | None = None) -> State:
    """Return a start: coefficients known to `sigma_waves` each."""
    count = len(SHAPE)
    return State(np.zeros(count) if waves is None else np.asarray(waves, float), np.eye(count) * sigma_waves**2)


class PupilFilter:
    """Follows the pupil.

    Parameters
    ----------
    spot : VectorialSpot
        The optics with everything that is known; its window is that of the molecules.
    wander_waves : float
        Each coefficient changes by about this much, root mean square, in a second.
    """

    def __init__(self, spot: VectorialSpot, wander_waves: float) -> None:
        self._spot, self._wander = spot, wander_waves
        self._basis = phase_basis(spot, SHAPE).astype(np.float32)

    def update(self, state: State, molecules: Molecules, elapsed_s: float) -> State:
        """Return what is known after some molecules more.

        Parameters
        ----------
        state : State
        molecules : Molecules
            At least one.
        elapsed_s : float
            Since the molecules of `state`, middle to middle.
        """
        prior = state.covariance_waves2 + np.eye(len(state.waves)) * self._wander**2 * elapsed_s
        known, waves, own = np.linalg.inv(prior), state.waves, _own(molecules)
        for _ in range(ROUNDS):
            parts = self._equations(molecules, waves, own)
            keep = _believable(parts.chi2)
            gradient, information = (part[keep] for part in parts.pupil())
            told = Evidence(molecules.place_nm[keep], gradient, information, waves)
            covariance = np.asarray(np.linalg.inv(known + information.sum(0)), float)
            step = covariance @ (gradient.sum(0) + known @ (state.waves - waves))
            own = _possible(own + parts.own_step(step), own)
            waves = waves + step
        return State(waves, covariance, float(np.median(parts.chi2[keep])), int(keep.sum()), told)

    def _equations(self, molecules: Molecules, waves: Float64, own: Float64) -> _Equations:
        n, modes = len(molecules), len(waves)
        phase = np.tensordot(waves.astype(np.float32), self._basis, 1)
        aberration = Aberration(None, np.broadcast_to(phase, (n, *phase.shape)))
        images, slopes = self._spot.with_all_gradients(own[:, :3].astype(np.float32), aberration, self._basis)
        photons, background = own[:, 3], own[:, 4]
        jacobian = np.empty((n, modes + OWN, images[0].size), np.float32)
        jacobian[:, : modes + 3] = (slopes * photons[:, None, None, None]).reshape(n, modes + 3, -1)[:, _order(modes)]
        jacobian[:, modes + 3], jacobian[:, modes + 4] = images.reshape(n, -1), 1.0
        mean = photons[:, None] * images.reshape(n, -1) + background[:, None]
        counts, variance = (part.reshape(n, -1) for part in (molecules.counts, molecules.variance))
        chi2 = deviance(counts, mean, variance) / (counts.shape[1] - OWN)
        gradient, information = score(counts, mean, jacobian, variance)
        return _Equations(np.asarray(gradient, float), np.asarray(information, float), chi2, modes)


def _order(modes: int) -> NDArray[np.int64]:
    """Coefficients first, then x, y, z."""
    return np.concatenate((np.arange(3, modes + 3), np.arange(3)))


def _own(molecules: Molecules) -> Float64:
    return np.column_stack((molecules.position_nm, molecules.photons, molecules.background))


def _possible(new: Float64, old: Float64) -> Float64:
    """Keep steps short, and light above nothing."""
    limit = np.column_stack((np.full((len(old), 3), LONGEST_NM), FASTEST * old[:, 3:] + 1))
    result = old + np.clip(new - old, -limit, limit)
    result[:, 3:] = np.maximum(result[:, 3:], 1e-3)
    return result


def _believable(chi2: Float64) -> NDArray[np.bool_]:
    middle = np.median(chi2)
    spread = 1.4826 * np.median(np.abs(chi2 - middle))
    return np.asarray(chi2 <= middle + WORST * spread)


@dataclass(frozen=True, slots=True)
class _Equations:
    """Normal equations of each molecule: coefficients first, then what is its own."""

    gradient: Float64
    information: Float64
    chi2: Float64
    modes: int

    def _solved(self) -> tuple[Float64, Float64]:
        """Return own information inverse times own gradient (n, 5), and times what joins it to the pupil (n, 5, m)."""
        m = self.modes
        joint = np.concatenate((self.gradient[:, m:, None], self.information[:, m:, :m]), axis=2)
        solved = np.asarray(np.linalg.solve(self.information[:, m:, m:] + 1e-9 * np.eye(OWN), joint), np.float64)
        return solved[:, :, 0], solved[:, :, 1:]

    def pupil(self) -> tuple[Float64, Float64]:
        """Return gradients (n, m) and informations (n, m, m) of the pupil, what is each molecule's own eliminated."""
        m, (by_own, between) = self.modes, self._solved()
        gradient = self.gradient[:, :m] - np.einsum("npm,np->nm", self.information[:, m:, :m], by_own)
        information = self.information[:, :m, :m] - self.information[:, :m, m:] @ between
        return np.asarray(gradient, np.float64), np.asarray(information, np.float64)

    def own_step(self, step: Float64) -> Float64:
        """Return the step (n, 5) of what is each molecule's own, once the pupil's is known."""
        by_own, between = self._solved()
        return np.asarray(by_own - between @ step)
