"""From stacks of beads to a pupil: all beads of all stacks behind one phase, and what else might be true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from models.beads.starts import USUAL, Start, best_start
from models.fitting.retrieval import retrieve
from models.fitting.retrieved import Retrieved
from models.optics.propagator import Setup
from models.optics.vectorial import VectorialSpot

Float64 = NDArray[np.float64]
MOST_BLUR_NM = 150.0
BLUR_STEP_NM = 5.0
FEW_STEPS = 8
MOST_BEADS = 8
MOST_SLICES = 31


@dataclass(frozen=True, slots=True)
class Task:
    """Beads and how they were taken.

    Parameters
    ----------
    setup : Setup
        Objective; its blur is where the search for the blur starts.
    pixel_size_nm : float
    focus_nm : (z,) float
        Stage position of each slice from the middle one, positive towards the objective.
    stacks : tuple of (z, y, x) float
        Photo-electrons over the excess noise factor, the window of each bead.
    variances : tuple of (y, x) or (z, y, x) float
        Of the read noise, in the same unit squared.
    modes : tuple of int
    starts : tuple of Start
    places_um : tuple of (x, y)
        Where the middle of each window lies in the image, from the outer corner of the first pixel; empty if that is
        not known.
    """

    setup: Setup
    pixel_size_nm: float
    focus_nm: Float64
    stacks: tuple[Float64, ...]
    variances: tuple[Float64, ...]
    modes: tuple[int, ...]
    starts: tuple[Start, ...] = USUAL
    places_um: tuple[tuple[float, float], ...] = ()

    def spot(self, blur_nm: float) -> VectorialSpot:
        """Return the optics without the aberrations that are looked for."""
        size = self.stacks[0].shape[-1]
        return VectorialSpot(replace(self.setup, blur_nm=blur_nm), self.pixel_size_nm, size)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was retrieved.

    Parameters
    ----------
    found : Retrieved
    blur_nm : float
        Standard deviation of what spreads the light besides the pupil.
    reversed : Retrieved
        The first bead with the stage moving the other way; no proof, see `models/fitting/retrieval.py`.
    first : Retrieved
        The first bead alone as stated, to compare with that.
    """

    found: Retrieved
    blur_nm: float
    reversed: Retrieved
    first: Retrieved


def solve(task: Task) -> Answer:
    """Start on the brightest bead, find the blur there, and fit all beads together.

    Raises
    ------
    ValueError
        The stacks have other slices or another window than stated.
    """
    blur = task.setup.blur_nm
    first = _alone(task, task.focus_nm, blur, task.starts)
    blur = _blur(task, Start.of(first), blur)
    first = _alone(task, task.focus_nm, blur, (Start.of(first),))
    turned = [start.reversed() for start in (Start.of(first), *task.starts)]
    reversed_ = _alone(task, -task.focus_nm, blur, turned)
    count = len(task.stacks[:MOST_BEADS])
    found = retrieve(
        task.spot(blur), task.stacks[:MOST_BEADS], task.focus_nm, task.modes, first.zernike_waves,
        task.variances[:MOST_BEADS], places_nm=[Start.of(first).place_nm, *[None] * (count - 1)],
    )  # fmt: skip
    return Answer(found, blur, reversed_, first)


def fewer_slices(task: Task) -> Task:
    """Add up neighbouring slices until there are at most `MOST_SLICES`: all light is kept, and time is saved."""
    together = -(-len(task.focus_nm) // MOST_SLICES)
    first = np.arange(0, len(task.focus_nm), together)
    counts = np.diff(np.append(first, len(task.focus_nm)))
    return replace(
        task,
        focus_nm=np.add.reduceat(task.focus_nm, first) / counts,
        stacks=tuple(np.add.reduceat(stack, first, axis=0) for stack in task.stacks),
        variances=tuple(counts[:, None, None] * variance for variance in task.variances),
    )


def _alone(task: Task, focus_nm: Float64, blur_nm: float, starts: Sequence[Start]) -> Retrieved:
    return best_start(task.spot(blur_nm), task.stacks[0], focus_nm, task.modes, starts, task.variances[0])


def _blur(task: Task, start: Start, guess_nm: float) -> float:
    """Return the blur that the brightest bead is drawn best with."""

    def misfit(blur_nm: float) -> float:
        spot, stack, variance = task.spot(blur_nm), task.stacks[:1], task.variances[:1]
        return retrieve(spot, stack, task.focus_nm, task.modes, start.waves, variance, FEW_STEPS, [start.place_nm]).chi2

    found = minimize_scalar(misfit, bounds=(0.0, MOST_BLUR_NM), method="bounded", options={"xatol": BLUR_STEP_NM})
    return float(found.x) if found.fun < misfit(guess_nm) else guess_nm
