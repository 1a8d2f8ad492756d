"""Stacks whose frames lie one behind the other in one file: read one by one, never mapped or loaded as a whole.

Decision: plain reads, no memory map. Context: mapped pages count as the process's memory until the system needs it,
so a 100 GB stack looks like a leak. Consequence: one copy per frame, and memory that stays that of one frame.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from stream.frame import Frame, UInt16Array
from stream.sources.stacks.stack import StackDetails, camera_counts, check_dtype, damaged


@dataclass(frozen=True, slots=True)
class FlatLayout:
    """Where the pixels lie.

    Parameters
    ----------
    offset : int
        Byte of the first pixel of the first frame.
    dtype : dtype
        Of the file, byte order included.
    frames, height_px, width_px : int
        Shape of the stack (t, y, x), C order.
    """

    offset: int
    dtype: np.dtype[Any]
    frames: int
    height_px: int
    width_px: int

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame."""
        return self.height_px * self.width_px * self.dtype.itemsize


class FlatStack:
    """One file of frames without anything between them.

    Raises
    ------
    FrameFormatError
        The pixels are not camera counts.
    """

    def __init__(self, path: Path, layout: FlatLayout, details: StackDetails) -> None:
        check_dtype(layout.dtype, path.name)
        self._path, self._layout, self.details = path, layout, details

    def frames(self) -> Generator[Frame, None, None]:
        """Yield the frames."""
        with self._path.open("rb") as file:
            yield from (Frame(pixels, index) for index, pixels in enumerate(read_flat(file, self._path, self._layout)))


def read_flat(file: BinaryIO, path: Path, layout: FlatLayout) -> Iterator[UInt16Array]:
    """Yield the (y, x) pixels of the frames in an open file.

    Raises
    ------
    FrameFormatError
        The file ends before the last frame.
    """
    for index in range(layout.frames):
        file.seek(layout.offset + index * layout.frame_bytes)
        pixels = np.fromfile(file, layout.dtype, layout.height_px * layout.width_px)
        if pixels.nbytes != layout.frame_bytes:
            size, needed = path.stat().st_size, layout.offset + layout.frames * layout.frame_bytes
            there = (size - layout.offset) % layout.frame_bytes
            what = f"{there} bytes of {layout.frame_bytes}; {layout.frames} frames need {needed} bytes"
            raise damaged(path, index, f"{what}, the file has {size}")
        yield camera_counts(pixels.reshape(layout.height_px, layout.width_px), f"{path.name}, page {index}")
