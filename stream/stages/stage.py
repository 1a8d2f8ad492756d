"""Stage protocol: batches of raw frames in, localizations out, some frames later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.guard.molecules.mean_residual import MeanResidual
from models.guard.verdict import Verdict
from models.localizations import Localizations
from stream.frame import Batch, Float64Array
from stream.stages.optics_report import OpticsReport


@dataclass(frozen=True, slots=True)
class Located:
    """Localizations and the frames they come from.

    Parameters
    ----------
    table : Localizations
    index : (t,) int64
        Absolute indices of the frames that were analysed, also those without a localization.
    host_time_s : (t,) float64
        When each of them was received.
    left_out : int
        Localizations that a filter took out of the table.
    optics : OpticsReport or None
        What was found of the pupil meanwhile.
    background : (y, x) float32 or None
        The newest estimate of the whole frame's background, photo-electrons per pixel; None where no stage has one.
    guard : Verdict or None
        What the guard says, when it has looked again.
    residual : MeanResidual or None
        What the molecules that it has looked at are like beside what they should be, when there are enough.
    """

    table: Localizations
    index: NDArray[np.int64]
    host_time_s: Float64Array
    left_out: int = 0
    optics: OpticsReport | None = None
    background: NDArray[np.float32] | None = None
    guard: Verdict | None = None
    residual: MeanResidual | None = None


class Stage(Protocol):
    """Turns batches into localizations."""

    @property
    def look_ahead_frames(self) -> int:
        """How many of the newest frames may now lack their answer."""

    def process(self, batch: Batch) -> Located:
        """Take frames in order, return what is known by now; the batch's pixels are not used after the return.

        A batch without frames asks for what is under way.
        """

    def flush(self) -> Located:
        """Return the answer for the frames that still lacked it; the next batch starts anew."""
