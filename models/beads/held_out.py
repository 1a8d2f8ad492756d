"""Does a pupil foretell slices that it was not fitted to? Noise that is fitted, or a wrong stage, does not help there.

Leave-one-out cross-validation (Stone, J. R. Stat. Soc. B 36, 1974), a slice of all beads at a time. Only photons and
background of the slice that was left out are fitted to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.beads.task import Answer, Task
from models.fitting.light import light
from models.fitting.likelihood import deviance
from models.fitting.retrieval import retrieve
from models.fitting.retrieved import RetrievedBead
from models.optics.vectorial import Aberration, VectorialSpot

Float64 = NDArray[np.float64]
SLICES = 5
FEWEST = 3
"""Slices that a stack needs for one to be left out."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a fit found.

    Parameters
    ----------
    spot : VectorialSpot
        With everything that is in the pupil.
    beads : tuple of RetrievedBead
    """

    spot: VectorialSpot
    beads: tuple[RetrievedBead, ...]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """How well slices were foretold.

    Parameters
    ----------
    slices : (k,) int
        Which were left out, one at a time.
    chi2_of_slice : (k,) float
        Deviance of each over its pixels less photons and background of each bead.
    """

    slices: NDArray[np.int64]
    chi2_of_slice: Float64

    @property
    def chi2(self) -> float:
        """Mean over the slices, which have the same number of pixels."""
        return float(self.chi2_of_slice.mean())


def held_out(task: Task, fit: Callable[[Task], Fitted], slices: int = SLICES) -> HeldOut:
    """Fit without a slice, foretell it, and go to the next.

    Parameters
    ----------
    task : Task
    fit : function of Task to Fitted
        Called for each slice that is left out, with the task without it.
    slices : int
        So many at most, spread over the stack.

    Raises
    ------
    ValueError
        The stacks have fewer than three slices.
    """
    count = len(task.focus_nm)
    if count < FEWEST:
        raise ValueError(f"a stack of {count} slices: at least {FEWEST} are needed to leave one out")
    few = min(slices, count)
    chosen = np.asarray((np.arange(few) + 0.5) * count / few, np.int64)
    return HeldOut(chosen, np.array([_foretold(task, k, fit(_without(task, k))) for k in chosen.tolist()]))


def zernike_fit(answer: Answer) -> Callable[[Task], Fitted]:
    """Return the fit of Zernike coefficients, started at what all slices gave."""

    def fit(task: Task) -> Fitted:
        spot, beads = task.spot(answer.blur_nm), answer.found.beads
        found = retrieve(
            spot, task.stacks[: len(beads)], task.focus_nm, task.modes, answer.found.zernike_waves,
            task.variances[: len(beads)], places_nm=[bead.place_nm for bead in beads],
        )  # fmt: skip
        return Fitted(aberrated(spot, found.zernike_waves), found.beads)

    return fit


def aberrated(spot: VectorialSpot, zernike_waves: dict[int, float]) -> VectorialSpot:
    """Return the same optics with these aberrations."""
    setup = replace(spot.setup, zernike_waves=zernike_waves)
    return VectorialSpot(setup, spot.pixel_size_nm, spot.size_px)


def _foretold(task: Task, k: int, fitted: Fitted) -> float:
    """Return chi-square per degree of freedom of slice k of all beads."""
    lost, freedom = 0.0, 0
    for bead, stack, variance in zip(fitted.beads, task.stacks, task.variances, strict=False):
        counts = stack[k : k + 1]
        focus = Aberration(task.focus_nm[k : k + 1] + bead.focus_nm)
        image = np.asarray(fitted.spot(np.array([[bead.x_nm, bead.y_nm, 0.0]]), focus))
        noise = np.broadcast_to(variance, stack.shape)[k : k + 1]
        photons, background = light(counts, image, noise)
        mean = photons[:, None, None] * image + background[:, None, None]
        lost += float(deviance(counts.reshape(1, -1), mean.reshape(1, -1), noise.reshape(1, -1))[0])
        freedom += counts.size - 2
    return lost / freedom


def _without(task: Task, k: int) -> Task:
    return replace(
        task,
        focus_nm=np.delete(task.focus_nm, k),
        stacks=tuple(np.delete(stack, k, axis=0) for stack in task.stacks),
        variances=tuple(np.delete(v, k, axis=0) if np.ndim(v) == 3 else v for v in task.variances),
    )
