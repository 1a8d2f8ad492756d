"""Pixels and metadata of the images of an NDTiff dataset, and whether they are on the disk yet.

Decision: an image is there once its metadata is. Context: writers give a TIFF file its full 4 GB before the first
image, so that pixels which are not written yet read as zeros; metadata follows its pixels and is never zero.
Consequence: an index that is ahead of its images, as on a network disk, never gives a black frame.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from math import isnan, nan
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from stream.errors import FrameFormatError
from stream.frame import Frame, UInt16Array
from stream.sources.stacks.ndtiff_index import Entry

HEADER = struct.Struct("<2sHIIIIII")
FIRST_BYTES = b"II"
TIFF_VERSION, NDTIFF_MARK, MAJOR, SUMMARY_MARK = 42, 483_729, 3, 2_355_492
DTYPES = {0: np.dtype("u1")} | dict.fromkeys((1, 3, 4, 5, 6), np.dtype("<u2"))
TYPE_NAMES = {2: "8-bit RGB"}
ELAPSED_MS, EXPOSURE_MS = ("ElapsedTime-ms",), ("Exposure-ms", "Exposure")
STAGE_Z_UM, PIXEL_UM = ("ZPositionUm", "ZPosition_um_Intended"), ("PixelSizeUm", "PixelSize_um")

Metadata = Mapping[str, Any]


class NotThereYet(Exception):
    """What the index promises is not on the disk; the text says what is missing."""


class ImageFiles:
    """The TIFF files of a dataset, one open at a time.

    Parameters
    ----------
    folder : Path
        Where `NDTiff.index` lies.

    Attributes
    ----------
    summary : mapping
        What the dataset says of itself; empty before the first image.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._name = ""
        self._file: BinaryIO | None = None
        self.summary: Metadata = {}

    def frame(self, entry: Entry, index: int) -> Frame:
        """Return the frame of an entry; when it was received is not known here.

        Raises
        ------
        NotThereYet
            A part of the image is not on the disk.
        FrameFormatError
            It is not a camera frame.
        """
        metadata = self.metadata(entry)
        return Frame(
            self._pixels(entry),
            index,
            camera_time_s=number(metadata, ELAPSED_MS, zero_is_unknown=True) / 1000,
            stage_z_um=number(metadata, STAGE_Z_UM),
            axes=entry.axes,
        )

    def metadata(self, entry: Entry) -> Metadata:
        """Return what is written of an image; raises as `frame`."""
        check(entry)
        raw = self._read(entry, entry.metadata_offset, entry.metadata_bytes)
        if b"\0" in raw:
            raise NotThereYet(f"its metadata at byte {entry.metadata_offset} of {entry.file} is not written")
        return _parsed(raw, entry.file)

    def size(self, name: str) -> int:
        """Return how many bytes a file has."""
        return (self._folder / name).stat().st_size

    def close(self) -> None:
        """Close the file that is open."""
        if self._file is not None:
            self._file.close()
        self._name, self._file = "", None

    def _pixels(self, entry: Entry) -> UInt16Array:
        dtype = DTYPES[entry.pixel_type]
        raw = self._read(entry, entry.offset, entry.height_px * entry.width_px * dtype.itemsize)
        return np.frombuffer(raw, dtype).reshape(entry.height_px, entry.width_px).astype(np.uint16, copy=False)

    def _read(self, entry: Entry, offset: int, count: int) -> bytes:
        file = self._opened(entry.file)
        file.seek(offset)
        raw = file.read(count)
        if len(raw) != count:
            size = self.size(entry.file)
            raise NotThereYet(f"it ends at byte {entry.end} of {entry.file}, which has {size} bytes")
        return raw

    def _opened(self, name: str) -> BinaryIO:
        if self._file is None or self._name != name:
            self.close()
            try:
                self._file = (self._folder / name).open("rb", buffering=0)
            except FileNotFoundError as error:
                raise NotThereYet(f"there is no file {name}") from error
            self._name = name
            try:
                self._read_header(self._file)
            except (NotThereYet, FrameFormatError):
                self.close()
                raise
        return self._file

    def _read_header(self, file: BinaryIO) -> None:
        raw = file.read(HEADER.size)
        if len(raw) < HEADER.size or not any(raw[-4:]):
            raise NotThereYet(f"the header of {self._name} is not written")
        order, version, _, mark, major, minor, summary_mark, length = HEADER.unpack(raw)
        expected = FIRST_BYTES, TIFF_VERSION, NDTIFF_MARK, MAJOR, SUMMARY_MARK
        if (order, version, mark, major, summary_mark) != expected:
            said = f"NDTiff {major}.{minor}, byte order {order!r}" if mark == NDTIFF_MARK else "another kind of file"
            raise FrameFormatError(
                f"{self._name} in {self._folder} is {said}",
                limit=f"accepted: NDTiff {MAJOR}, little-endian, beside {self._folder.name}'s index",
                remedy="save it as a TIFF stack, for example with Fiji",
            )
        summary = file.read(length)
        if len(summary) < length or b"\0" in summary:
            raise NotThereYet(f"the summary of {self._name} is not written")
        self.summary = _parsed(summary, self._name)


def check(entry: Entry) -> None:
    """Raise FrameFormatError unless the image is raw counts of a camera."""
    kind = "" if entry.pixel_type in DTYPES else TYPE_NAMES.get(entry.pixel_type, f"of type {entry.pixel_type}")
    how = f"compressed (method {entry.compression})" if entry.compression else ""
    if kind or how:
        raise FrameFormatError(
            f"the pixels of {dict(entry.axes)} in {entry.file} are {' and '.join(filter(None, (kind, how)))}",
            limit="accepted: raw camera counts of 8 or 16 bits, grey, not compressed",
            remedy="set the camera to a grey pixel type, or pick another channel",
        )


def number(metadata: Metadata, keys: tuple[str, ...], zero_is_unknown: bool = False) -> float:
    """Return the first of the keys that is there and a number; nan if none is."""
    for key in keys:
        try:
            value = float(metadata[key])
        except (KeyError, TypeError, ValueError):
            continue
        if not isnan(value) and (value or not zero_is_unknown):
            return value
    return nan


def _parsed(raw: bytes, name: str) -> Metadata:
    try:
        metadata = json.loads(raw)
    except ValueError as error:  # JSON and UTF-8
        raise FrameFormatError(
            f"metadata in {name} is not JSON: {error}",
            limit="accepted: NDTiff 3, whose metadata is JSON",
            remedy="copy the dataset again from where it was recorded",
        ) from error
    return metadata if isinstance(metadata, dict) else {}
