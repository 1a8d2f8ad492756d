"""The shared memory under the ring: one block, its layout, and who takes it away.

Decision: a process that attaches never tells Python's resource tracker. Context: up to Python 3.12 the tracker of an
attached process takes the block away when that process exits, under the feet of all others. Consequence: only the
creator's tracker knows the block, and removes it if the creator is killed.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from math import prod
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

from stream.errors import InputError, StorageFault
from stream.frame import Float64Array, UInt16Array

Kind = Literal["lossless", "newest"]

PREFIX = "livesmlm-"
DESCRIPTION_BYTES = 4096
LINE = 64  # bytes of a cache line: what different parties write lies on different lines
WORDS_PER_LINE = LINE // 8
TIMES = ("camera_time_s", "host_time_s", "stage_z_um")


class SharedBlock(SharedMemory):
    """A block of shared memory whose views may outlive it: the mapping goes with the last view."""

    def close(self) -> None:
        """Let go of the mapping."""
        with suppress(BufferError):  # a batch is still in somebody's hands; unmapping it would be a crash
            super().close()


@contextmanager
def _untracked() -> Iterator[None]:
    """Keep the resource tracker from hearing of a block; Python 3.13 has `track=False` for it."""
    register = resource_tracker.register
    resource_tracker.register = lambda name, rtype: None
    try:
        yield
    finally:
        resource_tracker.register = register


def attach_block(name: str) -> SharedBlock:
    """Attach to the block called `name`. Raises FileNotFoundError if there is none."""
    if sys.version_info >= (3, 13):
        return SharedBlock(name, track=False)
    with _untracked():
        return SharedBlock(name)


def remove_block(name: str) -> None:
    """Remove the block called `name` if its creator was killed before it could."""
    with suppress(FileNotFoundError):
        block = SharedBlock(name)
        block.close()
        block.unlink()


def create_block(size: int) -> SharedBlock:
    """Create a block of `size` bytes under a fresh name: its creator's process id, at most 31 characters for macOS.

    Raises
    ------
    StorageFault
        There is not so much shared memory.
    """
    folder = Path("/dev/shm")
    free = shutil.disk_usage(folder).free if folder.is_dir() else size
    if free < size:  # the kernel grants more than it has, and kills the writer (SIGBUS) once it is used
        raise StorageFault(
            f"the ring needs {size / 1e6:.0f} MB of shared memory",
            limit=f"{folder} has {free / 1e6:.0f} MB free",
            remedy="set a smaller ring_mb in [policy], or give /dev/shm more room (docker run --shm-size)",
        )
    return SharedBlock(f"{PREFIX}{os.getpid()}-{secrets.token_hex(4)}", create=True, size=size)


def _view(block: SharedBlock, offset: int, count: int, dtype: DTypeLike) -> NDArray[Any]:
    """Return a flat view that keeps the block mapped; `np.ndarray(buffer=...)` would not, and crash after `close`."""
    assert block.buf is not None
    return np.frombuffer(block.buf, dtype, count, offset)


class RingMemory:
    """The arrays of a ring in its shared block.

    Attributes
    ----------
    shape : (int, int)
        Height and width of every frame.
    slots : int
    readers : dict of str to "lossless" or "newest"
    writer : (8,) int64
        Written by the writer: number of frames written, finished.
    gone : dict of str to (8,) int64
        Written by the writer: 1 if it gave that reader up.
    cursor : dict of str to (8,) int64
        Written by that reader: number of frames taken (with those lost), overwritten, replaced.
    stamps, index : (slots,) int64
        Number of the frame in the slot (-1 while it is being written), and its absolute index.
    times : dict of str to (slots,) float64
        camera_time_s, host_time_s, stage_z_um.
    pixels : (slots, y, x) uint16
    """

    def __init__(self, block: SharedBlock, shape: tuple[int, int], slots: int, readers: Mapping[str, Kind]) -> None:
        self.block, self.shape, self.slots, self.readers = block, shape, slots, dict(readers)
        self._place = DESCRIPTION_BYTES
        self.writer: NDArray[np.int64] = self._carve((WORDS_PER_LINE,), np.int64)
        self.gone: dict[str, NDArray[np.int64]] = {name: self._carve((WORDS_PER_LINE,), np.int64) for name in readers}
        self.cursor: dict[str, NDArray[np.int64]] = {name: self._carve((WORDS_PER_LINE,), np.int64) for name in readers}
        self.stamps: NDArray[np.int64] = self._carve((slots,), np.int64)
        self.index: NDArray[np.int64] = self._carve((slots,), np.int64)
        self.times: dict[str, Float64Array] = {name: self._carve((slots,), np.float64) for name in TIMES}
        self.pixels: UInt16Array = self._carve((slots, *shape), np.uint16)

    def _carve(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """Return the next array of the block; each begins on a cache line of its own."""
        array: NDArray[Any] = _view(self.block, self._place, prod(shape), dtype).reshape(shape)
        self._place += -(-array.nbytes // LINE) * LINE
        return array

    @classmethod
    def create(cls, shape: tuple[int, int], slots: int, readers: Mapping[str, Kind]) -> RingMemory:
        """Create the block for a ring and fill it with zeros, so that the memory is really there."""
        description = json.dumps({"shape": shape, "slots": slots, "readers": dict(readers)}).encode()
        if len(description) > DESCRIPTION_BYTES:
            raise ValueError(f"the readers' names take {len(description)} bytes, at most {DESCRIPTION_BYTES}")
        lines = 1 + 2 * len(readers) + (2 + len(TIMES)) * -(-8 * slots // LINE)
        pixel_bytes = 2 * slots * shape[0] * shape[1]
        block = create_block(DESCRIPTION_BYTES + lines * LINE + -(-pixel_bytes // LINE) * LINE)
        content = _view(block, 0, block.size, np.uint8)
        content[:] = 0
        content[: len(description)] = np.frombuffer(description, np.uint8)
        memory = cls(block, shape, slots, readers)
        memory.stamps[:] = -1
        return memory

    @classmethod
    def attach(cls, name: str) -> RingMemory:
        """Attach to the ring called `name`.

        Raises
        ------
        InputError
            There is no such ring.
        """
        try:
            block = attach_block(name)
        except FileNotFoundError as error:
            raise InputError(
                f"there is no ring called {name!r}",
                limit=f"a ring lives as long as its source process, and its name begins with {PREFIX}",
                remedy="start the source first, and attach while it runs",
            ) from error
        text = _view(block, 0, DESCRIPTION_BYTES, np.uint8).tobytes()
        described = json.loads(text.rstrip(b"\0"))
        return cls(block, tuple(described["shape"]), described["slots"], described["readers"])

    def close(self) -> None:
        """Let go of the block; arrays that are still in use keep it mapped."""
        self.gone, self.cursor, self.times = {}, {}, {}
        del self.writer, self.stamps, self.index, self.pixels
        self.block.close()
