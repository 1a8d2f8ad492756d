"""The ring: fixed slots in shared memory, one writer, named readers with a cursor each.

    writer  --write-->  [slot][slot][slot][slot]  --lease/release-->  lossless reader: never overwritten
                                                  --newest/lease-->   newest-wins reader: overwritten, and counted

Decision: no locks; every word has exactly one party that writes it. Context: a process that is killed while it holds
a lock stops all others for ever. Consequence: either side may be killed at any point, and the other one goes on.

Decision: order of memory is left to the machine. Context: a frame is written as stamp -1, pixels, stamp, count, by
aligned 8-byte stores. Consequence: right where stores are seen in their order (x86-64); elsewhere (ARM) we rely on the
lock operations that numpy does around a copy of this size when it lets go of the interpreter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Self

import numpy as np

from stream.acquisition.ring_memory import Kind, RingMemory
from stream.acquisition.ring_readers import FINISHED, TAKEN, WRITTEN, LosslessReader, NewestReader, RingReader
from stream.errors import FrameFormatError, InputError
from stream.frame import Frame

MIN_SLOTS = 4


class Ring:
    """One end of a ring: the writer's, which creates and removes it, or a reader's, which attaches.

    Use as a context manager, or call `close`.
    """

    def __init__(self, memory: RingMemory, owner: bool) -> None:
        self._memory, self._owner = memory, owner
        self.name, self.shape, self.slots = memory.block.name, memory.shape, memory.slots
        self._open = True

    @classmethod
    def create(cls, shape: tuple[int, int], slots: int, readers: Mapping[str, Kind]) -> Self:
        """Create a ring as its writer.

        Parameters
        ----------
        shape : (int, int)
            Height and width of every frame.
        slots : int
            Number of frames that it holds; at least 4.
        readers : mapping of name to "lossless" or "newest"

        Raises
        ------
        InputError
            Too few slots.
        StorageFault
            There is not so much shared memory.
        """
        if slots < MIN_SLOTS:
            frame_mb = 2e-6 * shape[0] * shape[1]
            raise InputError(
                f"the ring has room for {slots} frames of {shape[1]} x {shape[0]} pixels",
                limit=f"at least {MIN_SLOTS} frames, which take {MIN_SLOTS * frame_mb:.1f} MB",
                remedy="set a larger ring_mb in [policy]",
            )
        return cls(RingMemory.create(shape, slots, readers), owner=True)

    @classmethod
    def attach(cls, name: str) -> Self:
        """Attach to the ring called `name`. Raises InputError if there is none."""
        return cls(RingMemory.attach(name), owner=False)

    def reader(self, name: str) -> RingReader:
        """Return the reader called `name`. Only one process may use it."""
        kind = LosslessReader if self._memory.readers[name] == "lossless" else NewestReader
        return kind(self._memory, name)

    def newest_reader(self, name: str) -> NewestReader:
        """Return the newest-wins reader called `name`, which can give the latest frame alone."""
        return NewestReader(self._memory, name)

    def unread(self, name: str) -> int:
        """Return how many frames wait for the reader called `name`; at most `slots`."""
        return min(self._written - int(self._memory.cursor[name][TAKEN]), self.slots)

    def needed_by(self, name: str) -> bool:
        """Return whether the ring has a reader called `name` that has not given up, and frames wait for it."""
        memory = self._memory
        return name in memory.readers and not memory.gone[name][0] and self.unread(name) > 0

    @property
    def used_slots(self) -> int:
        """Number of slots that must not be overwritten."""
        return self._written - self._oldest_needed()

    @property
    def full(self) -> bool:
        """True while `write` would refuse."""
        return self.used_slots >= self.slots

    @property
    def _written(self) -> int:
        return int(self._memory.writer[WRITTEN])

    def _oldest_needed(self) -> int:
        """Return the number of the oldest frame that a lossless reader has not given back."""
        memory = self._memory
        lossless = (name for name, kind in memory.readers.items() if kind == "lossless" and not memory.gone[name][0])
        return min((int(memory.cursor[name][TAKEN]) for name in lossless), default=self._written)

    def write(self, frame: Frame) -> bool:
        """Write a frame; return False, and write nothing, while a lossless reader needs the next slot.

        Raises
        ------
        FrameFormatError
            As `check`.
        """
        self.check(frame)
        if self.full:
            return False
        memory, number = self._memory, self._written
        slot = number % self.slots
        memory.stamps[slot] = -1
        memory.pixels[slot] = frame.pixels
        memory.index[slot] = frame.index
        for name, times in memory.times.items():
            times[slot] = getattr(frame, name)
        memory.stamps[slot] = number
        memory.writer[WRITTEN] = number + 1
        return True

    def check(self, frame: Frame) -> None:
        """Make sure that a frame fits.

        Raises
        ------
        FrameFormatError
            The frame is not uint16 or has another shape than the ring.
        """
        if frame.pixels.shape != self.shape or frame.pixels.dtype != np.uint16:
            raise FrameFormatError(
                f"frame {frame.index} is {frame.pixels.dtype} of shape {frame.pixels.shape}",
                limit=f"this run's frames are uint16 of shape {self.shape}",
                remedy="stop the run and start a new one for the new camera settings",
            )

    def finish(self) -> None:
        """Say that no frame follows. Only the writer may, or who has seen it dead."""
        self._memory.writer[FINISHED] = 1

    def detach(self, name: str) -> None:
        """Give the reader called `name` up: it holds the writer no longer."""
        self._memory.gone[name][0] = 1

    def kept(self) -> Iterator[Frame]:
        """Iterate over the frames that a lossless reader has not given back, oldest first; views of the ring."""
        memory = self._memory
        for number in range(self._oldest_needed(), self._written):
            slot = number % self.slots
            camera_s, host_s, z_um = (float(times[slot]) for times in memory.times.values())
            yield Frame(memory.pixels[slot], int(memory.index[slot]), camera_s, host_s, z_um)

    def close(self) -> None:
        """Let go of the ring; its creator removes it. May be called more than once."""
        if self._open:
            self._open = False
            self._memory.close()
            if self._owner:
                self._memory.block.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
