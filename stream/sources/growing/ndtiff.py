"""An NDTiff dataset while Micro-Manager, pycro-manager or ndstorage writes it.

Closed: writers give the TIFF file, and some the index, room in advance, and cut both to their length at the end. So a
dataset is closed when its last file ends with the last image of an index that ends with an entry.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from stream.frame import Frame
from stream.sources.stacks.ndtiff import describe
from stream.sources.stacks.ndtiff_axes import TIME, Numbering
from stream.sources.stacks.ndtiff_images import ImageFiles, NotThereYet
from stream.sources.stacks.ndtiff_index import INDEX, NDTIFF_FILE, Axes, Entry, IndexReader
from stream.sources.stacks.stack import StackDetails

PLAN = "IntendedDimensions"
"""Where Micro-Manager states in the summary how many images it is going to take."""


class GrowingNdTiff:
    """Images of a dataset, as its index names them; see `Growing`.

    Parameters
    ----------
    folder : Path
        Where the index lies.
    axes : mapping
        Position on each axis that the user has picked.
    name : str
        Of the dataset, for messages.
    """

    def __init__(self, folder: Path, axes: Axes, name: str) -> None:
        self._folder, self._name = folder, name
        self._survey, self._index = IndexReader(folder / INDEX), IndexReader(folder / INDEX)
        self._files, self._numbering = ImageFiles(folder), Numbering(axes, name)
        self._first: Entry | None = None
        self._waiting: deque[Entry] = deque()
        self._named: set[str] = set()
        self._end: tuple[str, int] | None = None
        self._planned: int | None = None
        self._taken, self._following = 0, 0
        self.unfinished = ""
        self.refused: dict[str, int] = {}

    def begin(self, enough: bool) -> StackDetails | None:
        """Two images tell which axis moves; of those that are there already, all are looked at."""
        for entry in self._numbering.pick(self._noted(self._survey.read())):
            self._first = self._first or entry
        if self._numbering.picked < 2 and not enough and not self._all_written(self._survey):
            return None
        self._numbering.begin()
        assert self._first is not None
        try:
            details = describe(self._first, self._files, self._name)
        except NotThereYet as missing:
            self.unfinished = str(missing)
            return None
        if self._numbering.by_time:
            self._planned = _planned_frames(self._files.summary.get(PLAN))
        return replace(details, frames=self._planned, verifiable=self._numbering.by_time)

    def look(self) -> Iterator[Frame]:
        """Yield the images whose pixels are there."""
        self.unfinished = ""
        while True:
            while self._waiting:
                entry = self._waiting[0]
                index = self._numbering.index(entry, self._taken)
                try:
                    frame = self._files.frame(entry, index)
                except NotThereYet as missing:
                    self.unfinished = str(missing)
                    return
                self._waiting.popleft()
                self._taken, self._following = self._taken + 1, index + 1
                yield frame
            self._waiting.extend(self._numbering.pick(self._noted(self._index.lot())))
            if not self._waiting:
                return

    def closed(self) -> bool:
        """Return True once all images that were planned are taken, or the writer has cut the files to their length."""
        if self._waiting:
            return False
        return self._following == self._planned or self._all_written(self._index)

    def close(self) -> None:
        """Close the file that is open."""
        self._files.close()

    def _noted(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        for entry in entries:
            self._end = entry.file, entry.end
            self._named.add(entry.file)
            yield entry

    def _all_written(self, index: IndexReader) -> bool:
        """Return True if the files end with what is read; a length is rounded up to the next word by some writers."""
        if self._end is None or not index.whole:
            return False
        file, end = self._end
        if self._files.size(file) not in (end, end + 1):
            return False
        return not any(NDTIFF_FILE in path.name and path.name not in self._named for path in self._folder.iterdir())


def _planned_frames(plan: object) -> int | None:
    frames = plan.get(TIME) if isinstance(plan, dict) else None
    return frames if isinstance(frames, int) and frames > 0 else None
