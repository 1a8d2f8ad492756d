"""Phase and amplitude of each cell of the pupil from bead stacks, on top of the aberrations that the modes gave.

Bright beads show more than some dozen modes can say: scratches and steps of a mask, an aperture that darkens towards
its edge. The deviance is minimised over all cells at once; photons and background of each slice are solved for in
between, so that only the pupil and the beads' places are searched; `pupil_cells.py` says what keeps cells from being
noise. Sources: Hanser et al., J. Microsc. 216 (2004) and Ferdman et al., Opt. Express 28 (2020) for the task.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from models.fitting.bead_model import POSITION, Place
from models.fitting.light import light
from models.fitting.likelihood import deviance, shifted
from models.fitting.pupil_cells import PupilCells, Vector
from models.fitting.retrieved import RetrievedBead
from models.optics.pupil_map import PupilMap
from models.optics.vectorial import Aberration, VectorialSpot

Float64 = NDArray[np.float64]
MOST_STEPS, STILL, REMEMBERED = 150, 1e-6, 20


@dataclass(frozen=True, slots=True)
class Pixelwise:
    """What bead stacks tell of each cell.

    Parameters
    ----------
    pupil : PupilMap
        On top of the aberrations of the spot. The phase has no piston, tilt or defocus, which are the beads' places;
        the amplitude lets as much light through as none would.
    beads : tuple of RetrievedBead
    chi2 : float
        Deviance over the number of pixels less that of the beads' own parameters: cells are not counted, since it is
        not known how many of them the prior leaves free.
    converged : bool
    """

    pupil: PupilMap
    beads: tuple[RetrievedBead, ...]
    chi2: float
    converged: bool


def pixelwise(
    spot: VectorialSpot, stacks: Sequence[Float64], focus_nm: Float64, places_nm: Sequence[Place],
    variances: Sequence[Float64], most_steps: int = MOST_STEPS,
) -> Pixelwise:  # fmt: skip
    """Fit the cells of the pupil that several beads share.

    Parameters
    ----------
    spot : VectorialSpot
        With the aberrations that are known; its window is that of the stacks.
    stacks : sequence of (z, y, x) float
        Photo-electrons over the excess noise factor; one for each bead.
    focus_nm : (z,) float
        Stage position of each slice, positive towards the objective.
    places_nm : sequence of (x, y, focus)
        Where each bead starts.
    variances : sequence of (y, x) or (z, y, x) float
        Of the read noise.
    most_steps : int
    """
    cells = PupilCells(spot)
    beads = [_Bead(spot, *of_bead, focus_nm) for of_bead in zip(stacks, variances, strict=True)]
    scale = float(sum(bead.counts.size for bead in beads))

    def cost(theta: Vector) -> tuple[float, Float64]:
        lost, slope = cells.prior(theta)
        phase = cells.complex_phase(theta)
        for bead, place, own in zip(beads, cells.places_nm(theta), cells.own(slope), strict=True):
            more, by_phase, by_amplitude = bead.pull_back(phase, place)
            lost += more
            slope[: cells.count] += by_phase[cells.inside]
            slope[cells.count : 2 * cells.count] += by_amplitude[cells.inside]
            own[:] = cells.unit_nm * np.tensordot(cells.moves, by_phase, 2)
        return lost / scale, cells.without_gauge(slope) / scale

    found = minimize(
        cost, cells.start(places_nm), jac=True, method="L-BFGS-B",
        options={"maxiter": most_steps, "ftol": STILL, "gtol": 0.0, "maxcor": REMEMBERED},
    )  # fmt: skip
    theta, phase = np.asarray(found.x), cells.complex_phase(found.x)
    done = tuple(bead.result(phase, at) for bead, at in zip(beads, cells.places_nm(theta), strict=True))
    freedom = sum(bead.freedom for bead in beads)
    chi2 = sum(one.chi2 * bead.freedom for one, bead in zip(done, beads, strict=True)) / freedom
    return Pixelwise(cells.pupil(theta), done, chi2, bool(found.success))


class _Bead:
    """One bead behind the cells."""

    def __init__(self, spot: VectorialSpot, counts: Float64, variance: Float64, focus_nm: Float64) -> None:
        self._spot, self.counts, self._focus = spot, counts, focus_nm
        self._variance = np.broadcast_to(variance, counts.shape)
        self.freedom = counts.size - 2 * len(counts) - POSITION

    def pull_back(self, phase: NDArray[np.complex128], place_nm: Float64) -> tuple[float, Float64, Float64]:
        """Return the deviance and its derivatives by the cells' phase and logarithm of amplitude, (N, N) each.

        Photons and background are at their best, where the deviance does not change with them. Fields in single
        precision are twice as fast; the likelihood stays double.
        """
        lost = 0.0

        def respond(images: NDArray[np.float32], cut: slice) -> NDArray[np.float32]:
            nonlocal lost
            mean, photons, _ = self._expected(images, cut)
            lost += self._deviance(mean, cut)
            short = 1 - shifted(self.counts[cut], self._variance[cut]) / shifted(mean, self._variance[cut])
            return np.asarray(2 * photons[:, None, None] * short, np.float32)

        slopes = self._spot.pull_back(*self._where(phase, place_nm, np.float32), respond)
        by_phase, by_amplitude = (slope.sum(0, dtype=float) for slope in slopes)
        return lost, by_phase, by_amplitude

    def result(self, phase: NDArray[np.complex128], place_nm: Float64) -> RetrievedBead:
        """Return what is known of the bead behind these cells."""
        everything = slice(None)
        images = np.asarray(self._spot(*self._where(phase, place_nm, np.float64)))
        mean, photons, background = self._expected(images, everything)
        x, y, focus = place_nm.tolist()
        return RetrievedBead(x, y, focus, photons, background, mean, self._deviance(mean, everything) / self.freedom)

    def _expected(self, images: NDArray[np.floating], cut: slice) -> tuple[Float64, Float64, Float64]:
        shares = np.asarray(images, np.float64)
        photons, background = light(self.counts[cut], shares, self._variance[cut])
        return photons[:, None, None] * shares + background[:, None, None], photons, background

    def _deviance(self, mean: Float64, cut: slice) -> float:
        counts, mean, variance = (values.reshape(1, -1) for values in (self.counts[cut], mean, self._variance[cut]))
        return float(deviance(counts, mean, variance)[0])

    def _where(
        self, phase: NDArray[np.complex128], place_nm: Float64, dtype: type[np.floating]
    ) -> tuple[NDArray[np.floating], Aberration]:
        z = len(self._focus)
        position = np.zeros((z, 3), dtype)
        position[:, :2] = place_nm[:2]
        cells = phase.astype(np.result_type(dtype, np.complex64))
        return position, Aberration(
            (self._focus + place_nm[2]).astype(dtype), np.broadcast_to(cells, (z, *cells.shape))
        )
