"""The spool: a first-in-first-out queue of frames on disk, for when the ring is full.

A folder of segment files, each a row of records of one size (index, times, pixels), named by the index of its first
frame and deleted once read; `spool.json` says what a record is. Memory stays constant however long the queue is.
"""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream.errors import FrameFormatError, OutputError, StorageFault
from stream.frame import Frame

VERSION = 1
SEGMENT_BYTES = 64_000_000
MAX_SIDE_PX = 65_536


def record_dtype(shape: tuple[int, int]) -> np.dtype[np.void]:
    """Return what one frame is on disk, little-endian."""
    numbers = [("index", "<i8"), ("camera_time_s", "<f8"), ("host_time_s", "<f8"), ("stage_z_um", "<f8")]
    return np.dtype([*numbers, ("pixels", "<u2", shape)])


def _to_record(frame: Frame, record: NDArray[np.void]) -> None:
    for name in record.dtype.names or ():
        record[name] = getattr(frame, name)


def _to_frame(record: NDArray[np.void]) -> Frame:
    camera_s, host_s, z_um = (float(record[name][0]) for name in ("camera_time_s", "host_time_s", "stage_z_um"))
    return Frame(record["pixels"][0].astype(np.uint16), int(record["index"][0]), camera_s, host_s, z_um)


@dataclass(slots=True)
class _Segment:
    """One file of the queue: how many records were written to it and read from it."""

    path: Path
    written: int = 0
    read: int = 0


class Spool:
    """Queue of frames on disk, for one process.

    Parameters
    ----------
    folder : Path
        Created with the first frame; removed by `close` if every frame was read.
    shape : (int, int)
        Height and width of every frame.
    segment_bytes : int
        Size of a segment file; space on disk is given back in such pieces.

    Raises
    ------
    OutputError
        The folder holds the frames of an earlier run.
    """

    def __init__(self, folder: Path, shape: tuple[int, int], segment_bytes: int = SEGMENT_BYTES) -> None:
        if (folder / "spool.json").exists():
            raise OutputError(
                f"{folder} holds frames of an earlier run",
                limit="a spool folder belongs to one run",
                remedy="give another output folder, or remove this one if its frames are not needed",
            )
        self.folder, self.shape = folder, shape
        self._record: NDArray[np.void] = np.zeros(1, record_dtype(shape))
        self._per_segment = max(1, segment_bytes // self._record.nbytes)
        self._segments: list[_Segment] = []
        self._writing: FileIO | None = None
        self._reading: FileIO | None = None
        self._length = 0

    def __len__(self) -> int:
        """Return the number of frames that wait."""
        return self._length

    def append(self, frame: Frame) -> None:
        """Put a frame at the end.

        Raises
        ------
        StorageFault
            It could not be written; the frames before it stay readable.
        """
        try:
            if self._writing is None or self._segments[-1].written == self._per_segment:
                self._begin_segment(frame.index)
            self._write(frame)
        except OSError as error:
            raise self._storage_fault(f"frame {frame.index} could not be written", error) from error
        self._segments[-1].written += 1
        self._length += 1

    def _begin_segment(self, index: int) -> None:
        self._end_segment()
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self._segments:
            description = {"version": VERSION, "shape": self.shape, "dtype": "uint16"}
            (self.folder / "spool.json").write_text(json.dumps(description), encoding="utf-8")
        path = self.folder / f"{index:020d}.frames"
        self._writing = FileIO(path, "xb")
        self._segments.append(_Segment(path))

    def _end_segment(self) -> None:
        if self._writing is not None:
            self._writing.close()
            self._writing = None

    def _write(self, frame: Frame) -> None:
        assert self._writing is not None
        _to_record(frame, self._record)
        content, start = self._record.view(np.uint8).data, self._writing.tell()
        try:
            while content:  # a disk that runs full takes a part first
                content = content[self._writing.write(content) :]
        except OSError:
            self._writing.seek(start)  # the next frame is written over the part
            raise

    def _storage_fault(self, what: str, error: OSError) -> StorageFault:
        free = shutil.disk_usage(next(p for p in (self.folder, *self.folder.parents) if p.is_dir())).free
        return StorageFault(
            f"the spool {self.folder} failed: {what}: {error.strerror}",
            limit=f"{self._record.nbytes / 1e6:.1f} MB are needed for each frame, {free / 1e6:.1f} MB are free",
            remedy=f"free space on that disk; the {self._length} frames in the spool are safe",
        )

    def pop(self) -> Frame:
        """Take the oldest frame.

        Raises
        ------
        IndexError
            There is none.
        StorageFault
            It cannot be read back.
        """
        if not self._length:
            raise IndexError("pop from an empty spool")
        try:
            return self._read()
        except OSError as error:
            raise self._storage_fault("its oldest frame could not be read back", error) from error

    def _read(self) -> Frame:
        segment = self._segments[0]
        if self._reading is None:
            self._reading = FileIO(segment.path, "rb")
        frame = _read_record(self._reading, self._record)
        if frame is None:
            raise OSError(errno.EIO, f"{segment.path} is shorter than it was written")
        segment.read += 1
        self._length -= 1
        if segment.read == segment.written:
            self._drop_oldest()
        return frame

    def _drop_oldest(self) -> None:
        assert self._reading is not None
        self._reading.close()
        self._reading = None
        if len(self._segments) == 1:
            self._end_segment()
        self._segments.pop(0).path.unlink()

    @property
    def oldest_on_disk(self) -> int | None:
        """Index of the first frame that `open_existing` would find; None if there is none."""
        return int(self._segments[0].path.stem) if self._segments else None

    def cut(self) -> None:
        """Let the next frame begin a segment: it may be older than those before. For `open_existing`, not for `pop`."""
        self._end_segment()

    def close(self) -> None:
        """Close the files; remove the folder if every frame was read. May be called more than once."""
        self._end_segment()
        if self._reading is not None:
            self._reading.close()
            self._reading = None
        if not self._length and self.folder.is_dir():
            for path in (*(segment.path for segment in self._segments), self.folder / "spool.json"):
                path.unlink(missing_ok=True)
            self.folder.rmdir()

    @staticmethod
    def open_existing(folder: Path) -> LeftFrames:
        """Return the frames that a run left in `folder`.

        Raises
        ------
        FrameFormatError
            The folder is not a spool.
        """
        return LeftFrames(folder, _read_shape(folder))


@dataclass(frozen=True, slots=True)
class LeftFrames:
    """Frames that a run left in its spool, in the order of their index; iterating changes nothing on disk.

    The first ones may have been analysed already (a segment is deleted as a whole): the run's ledger tells.
    """

    folder: Path
    shape: tuple[int, int]

    def _paths(self) -> list[Path]:
        return sorted(self.folder.glob("*.frames"))

    def __len__(self) -> int:
        """Return the number of frames; one that was written in part does not count."""
        size = record_dtype(self.shape).itemsize
        return sum(path.stat().st_size // size for path in self._paths())

    def __iter__(self) -> Iterator[Frame]:
        record: NDArray[np.void] = np.zeros(1, record_dtype(self.shape))
        for path in self._paths():
            with FileIO(path, "rb") as file:
                while (frame := _read_record(file, record)) is not None:
                    yield frame


def _read_record(file: FileIO, record: NDArray[np.void]) -> Frame | None:
    """Return the next frame of a segment; None at its end or if the last record is not whole."""
    content = record.view(np.uint8).data
    while content:
        count = file.readinto(content)
        if not count:
            return None
        content = content[count:]
    return _to_frame(record)


def _read_shape(folder: Path) -> tuple[int, int]:
    path = folder / "spool.json"
    try:
        described: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        height, width = described["shape"]
        known = described["version"] == VERSION and described["dtype"] == "uint16"
        if not (known and 0 < height <= MAX_SIDE_PX and 0 < width <= MAX_SIDE_PX):
            raise ValueError(f"{described}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FrameFormatError(
            f"{folder} cannot be read as a spool: {error!r}",
            limit=f"spool.json of version {VERSION} with dtype uint16 and a shape of at most {MAX_SIDE_PX} px a side",
            remedy="give the folder called spool in a run's output folder",
        ) from error
    return int(height), int(width)
