"""The pages of one TIFF file, one after the other, with every byte that is missing noticed.

Decision: the chain of directories is walked here. Context: tifffile ends the chain at the first broken link with a
line in the log, so that half a stack looks like a whole one. Consequence: a damaged file is an error at its page.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from tifffile import TiffFile, TiffPage

from stream.errors import FrameFormatError
from stream.frame import UInt16Array
from stream.sources.stacks.stack import camera_counts, check_dtype, damaged

MOST_TAGS = 4096
SMALLEST_DIRECTORY_BYTES = 18
BROKEN = (ValueError, TypeError, KeyError, IndexError, struct.error)
"""What tifffile raises where tags are zeros or point nowhere; its own error is a ValueError."""


@contextmanager
def opened(path: Path) -> Iterator[TiffFile]:
    """Open a TIFF file. Raises FrameFormatError if it is none."""
    try:
        file = TiffFile(path)
    except BROKEN as error:
        raise FrameFormatError(
            f"{path.name} is not a TIFF file: {error}; it has {path.stat().st_size} bytes",
            remedy="copy the file again, or export it as TIFF",
        ) from error
    with file:
        # tifffile opens a file whose first link leads nowhere, and one without a page
        if next(directories(file, path), None) is None:
            raise damaged(path, 0, f"it has no page in {file.filehandle.size} bytes")
        yield file


def directories(file: TiffFile, path: Path) -> Iterator[int]:
    """Yield the byte offset of each page's directory.

    Raises
    ------
    FrameFormatError
        The chain leads out of the file or in a circle.
    """
    form, size = file.tiff, file.filehandle.size

    def number(at: int, layout: str, length: int, page: int) -> int:
        file.filehandle.seek(at)
        data = file.filehandle.read(length)
        if len(data) != length:
            raise damaged(path, page, f"its directory is at byte {at}, but the file has {size} bytes")
        return int(struct.unpack(layout, data)[0])

    offset = number(form.offsetsize, form.offsetformat, form.offsetsize, 0)
    for page in count():
        if offset == 0:
            return
        tags = number(offset, form.tagnoformat, form.tagnosize, page)
        if not 0 < tags <= MOST_TAGS or page > size // SMALLEST_DIRECTORY_BYTES:
            raise damaged(
                path, page, f"at byte {offset} there is no directory ({tags} entries) in a file of {size} bytes"
            )
        following = number(offset + form.tagnosize + tags * form.tagsize, form.offsetformat, form.offsetsize, page)
        yield offset
        offset = following


def reachable(file: TiffFile, path: Path) -> Iterator[int]:
    """Yield the byte offset of each directory up to the end or a break: reading the pages will report that."""
    with suppress(FrameFormatError):
        yield from directories(file, path)


def directory(file: TiffFile, path: Path, page: int, offset: int) -> TiffPage:
    """Return the page whose directory is at `offset`. Raises FrameFormatError if it is damaged."""
    file.filehandle.seek(offset)
    try:
        return TiffPage(file, index=page)
    except BROKEN as error:
        raise damaged(path, page, f"its directory at byte {offset} cannot be read ({error})") from error


def read_page(file: TiffFile, path: Path, page: int, offset: int) -> UInt16Array:
    """Return the (y, x) pixels of the page whose directory is at `offset`.

    Raises
    ------
    FrameFormatError
        Bytes are missing, the compressed data is broken, or the pixels are not camera counts.
    """
    found = directory(file, path, page, offset)
    where = f"{path.name}, page {page}"
    check_dtype(found.dtype or "V1", where)
    if len(found.dataoffsets) != len(found.databytecounts) or not all(found.dataoffsets):
        raise damaged(path, page, f"its pixels are in {len(found.databytecounts)} strips that begin nowhere")
    size, needed = file.filehandle.size, sum(found.databytecounts)
    end = max(
        (start + length for start, length in zip(found.dataoffsets, found.databytecounts, strict=True)), default=0
    )
    if end > size or not all(found.databytecounts):
        raise damaged(path, page, f"its {needed} bytes of pixels end at byte {end}, but the file has {size} bytes")
    try:
        pixels = found.asarray(maxworkers=1)
    except (ValueError, RuntimeError) as error:
        raise damaged(path, page, f"its {needed} bytes of pixels at byte {found.dataoffsets[0]}: {error}") from error
    return camera_counts(pixels, where)
