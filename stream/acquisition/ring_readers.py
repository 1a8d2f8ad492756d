"""Readers of the ring: lossless ones lease slots, newest-wins ones copy what is still intact."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from stream.acquisition.ring_memory import RingMemory
from stream.errors import SourceFault
from stream.frame import Batch, Frame

WRITTEN, FINISHED = 0, 1  # words of the writer
TAKEN, OVERWRITTEN, REPLACED = 0, 1, 2  # words of a reader


def batch_of(memory: RingMemory, first: int, last: int) -> Batch:
    """Return the slots `first`..`last` (exclusive): a view of the pixels, copies of the few bytes beside them."""
    camera_time_s, host_time_s, stage_z_um = (times[first:last].copy() for times in memory.times.values())
    return Batch(memory.pixels[first:last], memory.index[first:last].copy(), camera_time_s, host_time_s, stage_z_um)


class RingReader(ABC):
    """What both kinds of reader have in common: a cursor that only this reader writes."""

    def __init__(self, memory: RingMemory, name: str) -> None:
        self.name, self.slots = name, memory.slots
        self._memory = memory

    @property
    def _cursor(self) -> NDArray[np.int64]:
        return self._memory.cursor[self.name]

    @property
    def waiting(self) -> int:
        """Number of frames written and not yet taken."""
        return int(self._memory.writer[WRITTEN]) - int(self._cursor[TAKEN])

    @property
    def finished(self) -> bool:
        """True once the writer has said that no frame follows."""
        return bool(self._memory.writer[FINISHED])

    @property
    def oldest_host_time_s(self) -> float:
        """When the oldest frame that waits was received (host clock); meaningless if none waits."""
        written = int(self._memory.writer[WRITTEN])
        oldest = max(written - self.waiting, written - self.slots + 1)
        return float(self._memory.times["host_time_s"][oldest % self.slots])

    @abstractmethod
    def lease(self, max_frames: int) -> Batch | None:
        """Return the oldest frames that wait, in order, at most `max_frames`; None if none waits."""

    @abstractmethod
    def release(self, keep: int = 0) -> None:
        """Give the leased frames back, all but the newest `keep`."""


class LosslessReader(RingReader):
    """Sees every frame: the writer waits for it. One lease at a time.

    Decision: a frame whose result is not yet safe stays in the ring, although it was read. Context: the network needs
    the next frame too; a reader that is killed meanwhile must leave the frame behind. Consequence: `release(keep=1)`.
    """

    _leased = _kept = 0

    @property
    def waiting(self) -> int:
        """Number of frames written and not yet leased."""
        return super().waiting - self._kept

    def lease(self, max_frames: int) -> Batch | None:
        """Return the oldest frames that wait as a read-only view of the ring, valid until `release`.

        Cut at the ring's end, so that it is never a copy.

        Raises
        ------
        SourceFault
            The writer has given this reader up, and may overwrite what it has not taken.
        """
        if self._leased:
            raise RuntimeError(f"reader {self.name!r} has a lease of {self._leased} frames: release it first")
        if self._memory.gone[self.name][0]:
            raise SourceFault(
                f"reader {self.name!r} was given up by the source process",
                limit="a reader is given up when its process is taken for dead",
                remedy="read what it left from the spool folder",
            )
        first = (int(self._cursor[TAKEN]) + self._kept) % self.slots
        frames = min(self.waiting, max_frames, self.slots - first)
        if frames == 0:
            return None
        self._leased = frames
        batch = batch_of(self._memory, first, first + frames)
        batch.pixels.flags.writeable = False
        return batch

    def release(self, keep: int = 0) -> None:
        """Give slots back to the writer, all but the newest `keep`; the lease's pixels must not be used after."""
        held = self._kept + self._leased
        self._kept, self._leased = min(keep, held), 0
        self._cursor[TAKEN] += held - self._kept


class NewestReader(RingReader):
    """Never holds the writer up: takes private copies of what is still intact, and counts what is not.

    Decision: after it was overtaken, it goes on a quarter of the ring ahead of the oldest intact frame. Context: right
    behind the writer the next frames are overwritten while they are copied. Consequence: fewer gaps, each longer;
    three frames in a row stay the rule, which the network needs.
    """

    @property
    def overwritten(self) -> int:
        """Number of frames that were passed over because the writer came first."""
        return int(self._cursor[OVERWRITTEN])

    @property
    def replaced(self) -> int:
        """Number of frames that were passed over because a newer one was asked for."""
        return int(self._cursor[REPLACED])

    def lease(self, max_frames: int) -> Batch | None:
        """Return copies of the oldest frames that are still intact, in order; those overwritten are counted."""
        while waiting := self.waiting:
            if waiting > self.slots:
                ahead = 0 if self.finished else self.slots // 4
                self._pass_over(waiting - self.slots + ahead, OVERWRITTEN)
            batch = self._copy(max_frames)
            if batch is not None:
                return batch
        return None

    def release(self, keep: int = 0) -> None:
        """Do nothing: the frames are copies."""

    def newest(self) -> Frame | None:
        """Return a copy of the latest frame; None if it was seen before. Older ones are counted as replaced."""
        while waiting := self.waiting:
            self._pass_over(waiting - 1, REPLACED)
            batch = self._copy(1)
            if batch is not None:
                times = (float(batch.camera_time_s[0]), float(batch.host_time_s[0]), float(batch.stage_z_um[0]))
                return Frame(batch.pixels[0], int(batch.index[0]), *times)
        return None

    def _pass_over(self, frames: int, count: int) -> None:
        self._cursor[count] += frames
        self._cursor[TAKEN] += frames

    def _copy(self, max_frames: int) -> Batch | None:
        """Copy the next frames and keep those whose stamp is still right afterwards; the others are counted.

        Before it touches a slot the writer spoils its stamp, and it never comes back to the same number; so to look
        once, after the copy, is enough.
        """
        taken = int(self._cursor[TAKEN])
        first = taken % self.slots
        frames = min(self.waiting, max_frames, self.slots - first)
        batch = batch_of(self._memory, first, first + frames)
        pixels = batch.pixels.copy()
        stamps = self._memory.stamps[first : first + frames].copy()
        torn = int(np.count_nonzero(stamps != np.arange(taken, taken + frames)))
        self._pass_over(torn, OVERWRITTEN)
        self._cursor[TAKEN] += frames - torn
        if torn == frames:
            return None
        intact = slice(torn, None)  # the writer overwrites in order, so the torn ones come first
        times = (batch.camera_time_s[intact], batch.host_time_s[intact], batch.stage_z_um[intact])
        return Batch(pixels[intact], batch.index[intact], *times)
