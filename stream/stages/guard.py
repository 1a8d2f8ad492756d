"""The guard: is this data inside what the network was trained on. It looks at a few frames of each batch.

Molecules are drawn again and compared with the frames; the camera's noise is held against the rig, what was found
against the sample space. Rows that are located while the verdict is "outside" carry a flag.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.guard.molecules.mean_residual import MeanResidual
from models.guard.molecules.molecule_watch import MoleculeWatch
from models.guard.verdict import Finding, Verdict, verdict
from models.localizations import OUTSIDE, Localizations, concatenate
from stream.frame import Batch
from stream.stages.stage import Located, Stage

KEPT_FRAMES = 4
"""Of each batch: enough for differences of neighbours."""
TOLD_EVERY = 250
"""A verdict that stays as it is is told again after so many frames."""


class Channel(Protocol):
    """One way of looking at the data; `CameraChannel`, `CoverageChannel` and `MoleculeChannel` are there."""

    def take(self, pixels: NDArray[np.uint16], index: NDArray[np.int64], table: Localizations) -> None:
        """Take some frames that follow each other (t, y, x) ADU, their indices, and all rows in them."""

    def findings(self) -> list[Finding]:
        """Return what is not as in the training."""


class GuardWatch:
    """A stage whose answers are watched.

    Parameters
    ----------
    stage : Stage
    channels : list of Channel
    molecules : MoleculeWatch or None
        With which one of the channels looks.
    """

    def __init__(self, stage: Stage, channels: list[Channel], molecules: MoleculeWatch | None) -> None:
        self._stage, self._channels, self._molecules = stage, channels, molecules
        self._kept: deque[tuple[NDArray[np.uint16], NDArray[np.int64]]] = deque()
        self._rows: list[Localizations] = []
        self._verdict = Verdict("inside", -1, 0)
        self._told: tuple[str, tuple[str, ...]] = ("", ())
        self._told_at = -TOLD_EVERY

    @property
    def look_ahead_frames(self) -> int:
        """How many of the newest frames may now lack their answer."""
        return self._stage.look_ahead_frames

    def process(self, batch: Batch) -> Located:
        """Take frames in order; return what is known by now."""
        if len(batch):
            run = _first_run(batch.index)
            self._kept.append((batch.pixels[:run].copy(), batch.index[:run].copy()))
        if self._molecules is not None:
            self._molecules.pass_by(len(batch))
        return self._watched(self._stage.process(batch))

    def flush(self) -> Located:
        """Return the answer for the newest frames."""
        located = self._watched(self._stage.flush(), ends=True)
        self._kept.clear()
        self._rows.clear()
        return located

    def _watched(self, located: Located, ends: bool = False) -> Located:
        """Look at frames that have their answer, and flag the rows."""
        if len(located.index):
            self._look(located, ends)
        flags = np.asarray(located.table["flags"]) if "flags" in located.table else np.zeros(len(located.table), "u4")
        if self._verdict.word == "outside":
            flags = flags | np.uint32(OUTSIDE)
        table = Localizations({name: located.table[name] for name in located.table} | {"flags": flags})
        news = self._news(located)
        return replace(located, table=table, guard=news, residual=self._shown() if ends or news is not None else None)

    def _shown(self) -> MeanResidual | None:
        return None if self._molecules is None else self._molecules.mean_residual()

    def _look(self, located: Located, ends: bool) -> None:
        self._rows.append(located.table)
        newest, looked = int(located.index[-1]), False
        while self._kept and int(self._kept[0][1][-1]) <= newest:
            pixels, index = self._kept.popleft()
            table = concatenate(self._rows)
            frame = np.asarray(table["frame"])
            here = table.where((frame >= index[0]) & (frame <= index[-1]))
            for channel in self._channels:
                channel.take(pixels, index, here)
            self._rows = [table.where(frame > index[-1])]
            looked = True
        if ends and self._molecules is not None:
            self._molecules.settle()
        if looked or ends:
            findings = [finding for channel in self._channels for finding in channel.findings()]
            count = 0 if self._molecules is None else self._molecules.molecules
            self._verdict = verdict(findings, newest, count)

    def _news(self, located: Located) -> Verdict | None:
        """Return the verdict when it has changed, or was not told for long."""
        if not len(located.index) or self._verdict.frame < 0:
            return None
        told = self._verdict.word, tuple(finding.name for finding in self._verdict.findings)
        if told == self._told and self._verdict.frame < self._told_at + TOLD_EVERY:
            return None
        self._told, self._told_at = told, self._verdict.frame
        return self._verdict


def _first_run(index: NDArray[np.int64]) -> int:
    """Return how many of the first frames follow each other, at most `KEPT_FRAMES`."""
    gaps = np.flatnonzero(np.diff(index[:KEPT_FRAMES]) != 1)
    return int(gaps[0]) + 1 if len(gaps) else min(len(index), KEPT_FRAMES)
