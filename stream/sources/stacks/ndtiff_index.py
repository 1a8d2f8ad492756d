"""`NDTiff.index`: which image of an NDTiff 3 dataset lies where, read on from where the last look ended.

Format: https://github.com/micro-manager/NDStorage, "The NDTiff.index file". One entry per image, little-endian:

    u4 length, axes as JSON | u4 length, name of the TIFF file | u4 x 8: pixel offset, width, height, pixel type,
    pixel compression, metadata offset, metadata length, metadata compression

Decision: read here, not with `ndstorage`. Context: it reads an index once, as a whole, and takes the zeros with which
Micro-Manager fills the file in advance for its end. Consequence: an entry counts once all of it is there.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from stream.errors import FrameFormatError

INDEX = "NDTiff.index"
NDTIFF_FILE = "NDTiffStack"
"""In the name of every TIFF file of an NDTiff dataset: one may be there before the index is."""
LONGEST_TEXT = 65_536
LOOK_BYTES = 4 * LONGEST_TEXT
NUMBERS = struct.Struct("<8I")
LENGTH = struct.Struct("<I")

Axes = Mapping[str, int | str]


@dataclass(frozen=True, slots=True)
class Entry:
    """One image.

    Parameters
    ----------
    axes : mapping
        Position on each axis, for example time 7, channel "GFP".
    file : str
        Name of the TIFF file.
    offset : int
        Byte of the first pixel.
    width_px, height_px : int
    pixel_type, compression : int
        As the format numbers them.
    metadata_offset, metadata_bytes : int
        Where the metadata lies: behind the pixels, and written after them.
    """

    axes: Axes
    file: str
    offset: int
    width_px: int
    height_px: int
    pixel_type: int
    compression: int
    metadata_offset: int
    metadata_bytes: int

    @property
    def end(self) -> int:
        """Byte behind all that belongs to the image."""
        return self.metadata_offset + self.metadata_bytes


class IndexReader:
    """Reads an index that may still grow.

    Parameters
    ----------
    path : Path

    Attributes
    ----------
    whole : bool
        True if the file ends with its last entry: no half an entry follows, and no room filled with zeros.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._at = path, 0
        self.whole = False

    def read(self) -> Iterator[Entry]:
        """Yield all entries that are there and were not returned before; raises as `lot`."""
        while entries := self.lot():
            yield from entries

    def lot(self) -> list[Entry]:
        """Return the next entries that are there, some thousands at most; none if there is no other.

        Raises
        ------
        FrameFormatError
            What follows the last entry is none.
        """
        with self._path.open("rb") as file:
            file.seek(self._at)
            data, at = file.read(LOOK_BYTES), 0
        entries = []
        while (found := self._entry(data, at)) is not None:
            entry, at = found
            entries.append(entry)
        self._at += at
        self.whole = not data
        return entries

    def _entry(self, data: bytes, at: int) -> tuple[Entry, int] | None:
        """Return the entry at `at` and where it ends; None while a part of it is missing or zero."""
        text, at = self._text(data, at)
        axes = self._axes(text) if text else {}
        name, at = self._text(data, at) if text else ("", at)
        if not name or len(data) < at + NUMBERS.size:
            return None
        offset, width, height, kind, compression, metadata, length, _ = NUMBERS.unpack_from(data, at)
        if not (offset and width and height and metadata and length):
            return None
        if Path(name).name != name:
            raise self._damaged(f"it names the file {name!r}, which is not one of its folder")
        return Entry(axes, name, offset, width, height, kind, compression, metadata, length), at + NUMBERS.size

    def _text(self, data: bytes, at: int) -> tuple[str, int]:
        """Return a text and where it ends; "" while it is not all there."""
        if len(data) < at + LENGTH.size:
            return "", at
        (length,) = LENGTH.unpack_from(data, at)
        if length > LONGEST_TEXT:
            raise self._damaged(f"a text of {length} bytes")
        raw = data[at + LENGTH.size : at + LENGTH.size + length]
        if len(raw) < length or b"\0" in raw:
            return "", at
        try:
            return raw.decode(), at + LENGTH.size + length
        except UnicodeDecodeError as error:
            raise self._damaged(f"a text that is not UTF-8 ({error})") from error

    def _axes(self, text: str) -> Axes:
        try:
            axes = json.loads(text)
        except json.JSONDecodeError as error:
            raise self._damaged(f"axes {text[:40]!r} are not JSON ({error})") from error
        if not isinstance(axes, dict) or not all(type(value) in (int, str) for value in axes.values()):
            raise self._damaged(f"axes {text[:40]!r} are not positions by name")
        return axes

    def _damaged(self, what: str) -> FrameFormatError:
        return FrameFormatError(
            f"{self._path.name} in {self._path.parent} is damaged after byte {self._at}: {what}",
            limit="accepted: the index of an NDTiff 3 dataset, as Micro-Manager, pycro-manager and ndstorage write it",
            remedy="copy the dataset again from where it was recorded, or replay its TIFF files one by one",
        )
