"""Beads in a sweep of the stage -> what they say of the pupil, as the watch takes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.aberrations.follow import State
from models.aberrations.watch import Known
from models.aberrations.wavefront import SHAPE
from models.beads.find import find
from models.beads.starts import USUAL, Start, best_start
from models.beads.task import MOST_BEADS, Task, fewer_slices
from models.fitting.retrieval import retrieve
from models.optics.vectorial import VectorialSpot

Float64 = NDArray[np.float64]
Guess = Callable[[Float64, Float64], Start | None]
"""Counts (z, y, x) of a bead and its focus (z,) nm -> where to start."""
BEADS_UM = 3.1
"""Edge of a bead's window."""


@dataclass(frozen=True, slots=True)
class BeadStack:
    """A sweep.

    Parameters
    ----------
    counts : (z, y, x) float32
        Photo-electrons over the excess noise factor.
    variance : (z, y, x) float32
        Of the read noise, in the same unit squared.
    focus_nm : (z,) float64
        Of the stage, positive towards the objective.
    """

    counts: NDArray[np.float32]
    variance: NDArray[np.float32]
    focus_nm: Float64


def state_of(stack: BeadStack, known: Known, guess: Guess | None = None) -> State | None:
    """Return the pupil that the beads show, beside what is known; None if there is no bead to use.

    Parameters
    ----------
    stack : BeadStack
    known : Known
        Beads sit on the coverslip: its height is not looked at.
    guess : Guess or None
        Says where to start for the brightest bead, besides the usual starts.
    """
    size = 2 * round(500 * BEADS_UM / known.pixel_size_nm) + 1
    if size > min(stack.counts.shape[1:]):
        return None
    task = _task(stack, known, size)
    if task is None:
        return None
    first = guess(task.stacks[0], task.focus_nm) if guess else None
    task = fewer_slices(task)
    setup = replace(task.setup, height_nm=0.0)
    spot = VectorialSpot(setup, known.pixel_size_nm, size)
    starts = USUAL if first is None else (_beside(first, known), *USUAL)
    began = best_start(spot, task.stacks[0], task.focus_nm, SHAPE, starts, task.variances[0])
    places = [Start.of(began).place_nm, *[None] * (len(task.stacks) - 1)]
    found = retrieve(spot, task.stacks, task.focus_nm, SHAPE, began.zernike_waves, task.variances, places_nm=places)
    return State(np.array(list(found.zernike_waves.values())), found.covariance_waves2, found.chi2, len(task.stacks))


def _task(stack: BeadStack, known: Known, size: int) -> Task | None:
    reach, windows = size // 2, list[tuple[Float64, Float64]]()
    for bead in find(np.asarray(stack.counts, float), size):
        if not bead.why_not and len(windows) < MOST_BEADS:
            rows, columns = (slice(at - reach, at + reach + 1) for at in (bead.row, bead.column))
            windows.append(
                (stack.counts[:, rows, columns].astype(float), stack.variance[:, rows, columns].astype(float))
            )
    if not windows:
        return None
    counts, variances = zip(*windows, strict=True)
    return Task(known.setup, known.pixel_size_nm, stack.focus_nm, counts, variances, SHAPE)


def _beside(start: Start, known: Known) -> Start:
    """Take off what is known already; a mask of aberrations is part of what a network sees too."""
    there = known.setup.zernike_waves or {}
    return start._replace(waves={j: c - there.get(j, 0.0) for j, c in start.waves.items()})
