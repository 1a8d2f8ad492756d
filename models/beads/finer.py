"""The pupil cell by cell, where beads show more than the modes say; slices left out of the fit judge whether so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.beads.held_out import Fitted, HeldOut, aberrated, held_out, zernike_fit
from models.beads.task import Answer, Task
from models.fitting.bead_model import phase_basis
from models.fitting.pixelwise import Pixelwise, pixelwise
from models.optics.vectorial import VectorialSpot

Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Finer:
    """What the cells of the pupil add.

    Parameters
    ----------
    pixelwise : Pixelwise
    before, after : HeldOut
        The same slices, foretold by the modes alone and with the cells.
    """

    pixelwise: Pixelwise
    before: HeldOut
    after: HeldOut

    @property
    def better(self) -> bool:
        """Whether slices that were left out are foretold better: else it is noise that was fitted."""
        return self.after.chi2 < self.before.chi2


def finer(task: Task, answer: Answer) -> Finer:
    """Fit the cells behind the modes of an answer, and have slices foretold both ways.

    Raises
    ------
    ValueError
        The stacks have too few slices to leave one out.
    """
    by_modes = _once(zernike_fit(answer))
    spot = aberrated(task.spot(answer.blur_nm), answer.found.zernike_waves)
    everything = _cells(task, Fitted(spot, answer.found.beads))
    return Finer(everything, held_out(task, by_modes), held_out(task, with_cells(by_modes)))


def with_cells(by_modes: Callable[[Task], Fitted]) -> Callable[[Task], Fitted]:
    """Return a fit that goes on to the cells where another one of modes ends."""

    def fit(task: Task) -> Fitted:
        fitted = by_modes(task)
        found = _cells(task, fitted)
        return Fitted(masked(fitted.spot, found), found.beads)

    return fit


def masked(spot: VectorialSpot, found: Pixelwise) -> VectorialSpot:
    """Return the same optics with the cells in the pupil."""
    return VectorialSpot(replace(spot.setup, mask=found.pupil), spot.pixel_size_nm, spot.size_px)


def phase_and_amplitude(task: Task, answer: Answer, found: Pixelwise) -> tuple[Float64, Float64]:
    """Return all of the pupil's phase in rad, that of the modes included, and its amplitude, (N, N) each."""
    modes, waves = zip(*answer.found.zernike_waves.items(), strict=True)
    basis = phase_basis(task.spot(answer.blur_nm), modes)
    return found.pupil.phase_rad + np.tensordot(np.array(waves), basis, 1), found.pupil.amplitude


def _once(fit: Callable[[Task], Fitted]) -> Callable[[Task], Fitted]:
    """Return a fit that remembers: both ways of foretelling a slice begin with the same modes."""
    known = dict[tuple[float, ...], Fitted]()

    def remembered(task: Task) -> Fitted:
        slices = tuple(task.focus_nm.tolist())
        if slices not in known:
            known[slices] = fit(task)
        return known[slices]

    return remembered


def _cells(task: Task, fitted: Fitted) -> Pixelwise:
    count = len(fitted.beads)
    places = [bead.place_nm for bead in fitted.beads]
    return pixelwise(fitted.spot, task.stacks[:count], task.focus_nm, places, task.variances[:count])
