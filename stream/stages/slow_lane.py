"""Talking to the slow lane: hand over when it is free, take its answer, fit with its spots from then on."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, Protocol

import numpy as np

from models.aberrations.from_beads import BeadStack
from models.aberrations.molecules import Molecules
from models.aberrations.watch import Estimate
from models.localizations import Localizations
from stream.stages.optics_report import OpticsReport, lost, report
from stream.stages.refine import Refiner
from stream.stages.stage import Located, Stage
from stream.worker import Answer, WorkerDied

REST = 9.0
"""The slow lane rests so many times as long as it worked: it takes a tenth of a processor."""


class SlowLane(Protocol):
    """Whoever refines the pupil; `PhaseProcess` does."""

    idle: bool
    window_px: int
    """Edge of the crops of molecules that it takes."""

    def send(self, seen: Molecules | BeadStack, time_s: float) -> None:
        """Take molecules or beads, and when they shone. Raises WorkerDied."""

    def poll(self) -> Answer[Estimate] | None:
        """Return the answer if there is one. Raises WorkerDied."""


class Dialogue:
    """One stage's dealings with the slow lane.

    Parameters
    ----------
    lane : SlowLane
    stage : Stage
        A refiner gets the new spots.
    source : {"molecules", "beads"}

    Attributes
    ----------
    rest_s : float
        The last answer took so much that the lane should rest as long, in seconds.
    """

    def __init__(self, lane: SlowLane, stage: Stage, source: Literal["molecules", "beads"]) -> None:
        self._lane, self._stage, self._source = lane, stage, source
        self._epoch, self._alive, self._rests_on = 0, True, -1
        self.rest_s = 0.0

    @property
    def free(self) -> bool:
        """Whether something can be handed over."""
        return self._alive and self._lane.idle

    @property
    def alive(self) -> bool:
        """Whether anything ever will be answered."""
        return self._alive

    def hand_over(self, seen: Molecules | BeadStack, time_s: float, frame: int) -> None:
        """Send what was seen up to a frame, while the lane is free."""
        self._rests_on = frame
        try:
            self._lane.send(seen, time_s)
        except WorkerDied:
            return  # the next `hear` says so

    def hear(self) -> OpticsReport | None:
        """Take the answer, if there is one; from now on its spots are fitted with."""
        if not self._alive:
            return None
        try:
            answer = self._lane.poll()
        except WorkerDied as error:
            self._alive = False
            return lost(str(error))
        if answer is None:
            return None
        self.rest_s = REST * answer.seconds
        if answer.estimate is None:
            return lost(f"no bead can be used in the sweep that ended with frame {self._rests_on}")
        if answer.estimate.spots is not None and isinstance(self._stage, Refiner):
            self._stage.use(answer.estimate.spots)
            self._epoch = answer.estimate.epoch
        return report(answer.estimate, self._source, self._rests_on, answer.seconds)

    def told(self, located: Located, news: OpticsReport | None) -> Located:
        """Return the answer with the epoch of its spots in each row, and with what was heard before it was made."""
        table = located.table
        epoch = np.full(len(table), self._epoch)
        return replace(located, table=Localizations({n: table[n] for n in table} | {"psf_epoch": epoch}), optics=news)
