"""A folder into which another program writes TIFF files: one for each frame, or stacks of pages.

| files | index of a frame |
|---|---|
| one page each, and one number in their names counts | that number: a gap is a frame that was not saved |
| others | its place in the natural order of the names; gaps cannot be seen |

Pages are taken one by one as they are whole: directory and all bytes of the pixels are in the file. (A program that
gives a file its whole directory and length, and its pixels later, cannot be followed.) A file of several pages is left
once there is a later file.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path

from stream.errors import FrameFormatError
from stream.frame import Frame
from stream.sources.growing.file_numbers import FileNumber, counting_number
from stream.sources.stacks.stack import StackDetails
from stream.sources.stacks.tiff import is_tiff, natural, open_file, read_part
from stream.sources.stacks.tiff_ome import Part

LATE = "a file came after those that follow it"
OTHER_NAME = "a file whose name differs in more than its number"


class GrowingTiffs:
    """TIFF files of a folder, in the order of their numbers; see `Growing`.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number: FileNumber | None = None
        self._done: set[str] = set()
        self._last: str | None = None
        self._pages, self._taken = 0, 0
        self.unfinished = ""
        self.refused: Counter[str] = Counter()

    def names(self) -> list[str]:
        """Return the names of the files that were not taken yet, in natural order."""
        with os.scandir(self._folder) as entries:  # a folder may hold a hundred thousand files
            names = [entry.name for entry in entries if entry.name not in self._done]
        return sorted(filter(is_tiff, names), key=natural)

    def begin(self, enough: bool) -> StackDetails | None:
        """Two files, or two pages, tell what a file is."""
        names = self.names()
        if not names:
            return None
        first = self._folder / names[0]
        try:
            with _quiet():
                pages = sum(1 for _ in islice(read_part(Part(first)), 2))
                details = open_file(first).details
        except (FrameFormatError, OSError) as error:
            self.unfinished = _what(error)
            return None
        if len(names) < 2 and pages < 2 and not enough:
            return None
        self._number = counting_number(names) if pages == 1 else None
        return replace(details, frames=None, verifiable=self._number is not None, description=self._folder.name)

    def look(self) -> Iterator[Frame]:
        """Yield the pages that can be read."""
        self.unfinished = ""
        names = self._coming()
        for name, following in pairwise([*names, None]):
            assert name is not None
            yield from self._frames(name)
            if self.unfinished or (following is None and self._number is None):
                return
            if self._pages:
                self._done.add(name)
                self._last, self._pages = name, 0

    def closed(self) -> bool:
        """Return False: nothing tells that no file will follow."""
        return False

    def close(self) -> None:
        """Do nothing: files are open only while a page is read."""

    def _frames(self, name: str) -> Iterator[Frame]:
        """Yield the pages of a file that were not taken; `unfinished` says what the next one lacks."""
        pages = read_part(Part(self._folder / name, first_page=self._pages))
        while True:
            try:
                with _quiet():
                    pixels = next(pages, None)
            except (FrameFormatError, OSError) as error:  # it may still be written
                self.unfinished = _what(error)
                return
            if pixels is None:
                return
            index = self._index(name)
            self._pages, self._taken = self._pages + 1, self._taken + 1
            yield Frame(pixels, index)

    def _index(self, name: str) -> int:
        number = None if self._number is None else self._number.of(name)
        if number is None:
            return self._taken
        if self._pages:
            raise FrameFormatError(
                f"{name} in {self._folder} has more than one page; the frames before were taken",
                limit="expected one page in each file, as in the files before: their numbers are those of the frames",
                remedy="replay the folder once it is whole: frames are numbered by their order then",
            )
        return number

    def _coming(self) -> list[str]:
        """Return the names of files to take, in order.

        Decision: a gap counts when a second look shows it too. Context: a listing of a folder may leave out a file
        and show one that was made after it. Consequence: a frame is missing only if its file came after the next one.
        """
        names = self._in_order()
        if not self._may_have_gap(names):
            return names
        return [name for name in self._in_order() if natural(name) <= natural(names[-1])]

    def _may_have_gap(self, names: list[str]) -> bool:
        if self._number is None or self._last is None or not names:
            return bool(names)
        last, newest = self._number.of(self._last), self._number.of(names[-1])
        return last is not None and newest is not None and newest - last != len(names)

    def _in_order(self) -> list[str]:
        names = []
        for name in self.names():
            if self._number is not None and self._number.of(name) is None:
                self._refuse(name, OTHER_NAME)
            elif self._last is not None and natural(name) < natural(self._last):
                self._refuse(name, LATE)
            else:
                names.append(name)
        return names

    def _refuse(self, name: str, reason: str) -> None:
        self.refused[reason] += 1
        self._done.add(name)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep tifffile from logging each tag that is not written yet, at each look."""
    log = logging.getLogger("tifffile")
    before, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = before


def _what(error: FrameFormatError | OSError) -> str:
    return error.what if isinstance(error, FrameFormatError) else str(error)
