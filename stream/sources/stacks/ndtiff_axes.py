"""Which images of an NDTiff dataset are the frames, and which index each has.

| what moves among the images that are wanted | index of a frame |
|---|---|
| nothing, or `time` alone | its `time`: a gap is a frame that was not saved |
| `z`, or axes of the user's own, with `time` or without | its place in the index file; gaps cannot be seen |
| `channel`, `position`, `row`, `column` | refused: the user picks one |
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from stream.errors import FrameFormatError
from stream.sources.stacks.ndtiff_index import Axes, Entry

TIME = "time"
PICKED = ("channel", "position", "row", "column")
MOST_NAMED = 12


class Numbering:
    """Picks the frames of a dataset and numbers them.

    Parameters
    ----------
    wanted : mapping
        Position on each axis that the user has picked.
    name : str
        Of the dataset, for messages.

    Attributes
    ----------
    picked : int
        Number of images that were wanted so far.
    by_time : bool
        True where the index of a frame is its `time`.
    """

    def __init__(self, wanted: Axes, name: str) -> None:
        self._wanted, self._name = wanted, name
        self._seen: dict[str, dict[int | str, None]] = {}
        self._first: Axes = {}
        self._moving: set[str] = set()
        self._fixed: Axes = {}
        self.picked, self.by_time = 0, True

    def pick(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """Yield the entries that the user wants; all are remembered for what there is."""
        for entry in entries:
            for axis, value in entry.axes.items():
                self._seen.setdefault(axis, {})[value] = None
            if all(entry.axes.get(axis) == value for axis, value in self._wanted.items()):
                self._first = self._first or entry.axes
                self._moving |= _differ(self._first, entry.axes)
                self.picked += 1
                yield entry

    def begin(self) -> None:
        """Settle how frames are numbered, by the images picked so far.

        Raises
        ------
        FrameFormatError
            There is none, or there are several channels or positions and none is picked.
        """
        if not self.picked:
            raise self._none_as_wanted()
        self._refuse_picked(self._moving)
        self.by_time = self._moving <= {TIME} and isinstance(self._first.get(TIME), int)
        self._fixed = self._kept(self._first)

    def index(self, entry: Entry, place: int) -> int:
        """Return the index of a frame that has this place among those picked.

        Raises
        ------
        FrameFormatError
            An axis moves that did not move when frames began to be numbered.
        """
        moved = _differ(self._fixed, self._kept(entry.axes))
        self._refuse_picked(moved)
        if moved:
            raise self._moved_late(moved)
        return int(entry.axes[TIME]) if self.by_time else place

    def _kept(self, axes: Axes) -> Axes:
        """Return the position on the axes that must not move."""
        return {axis: value for axis, value in axes.items() if axis in PICKED or (self.by_time and axis != TIME)}

    def _refuse_picked(self, moving: Iterable[str]) -> None:
        several = [axis for axis in PICKED if axis in moving]
        if several:
            raise FrameFormatError(
                f"{self._name} has more than one {' and '.join(several)}",
                limit=self._what_there_is(),
                remedy=f'pick one in [source] kind = "follow": axes = {{{self._example(several)}}}',
            )

    def _none_as_wanted(self) -> FrameFormatError:
        wanted = ", ".join(f"{axis} = {value!r}" for axis, value in self._wanted.items())
        return FrameFormatError(
            f"{self._name} holds no image{f' with {wanted}' if wanted else ''}",
            limit=self._what_there_is(),
            remedy="correct [source] axes" if self._seen else "check that it is the dataset that you mean",
        )

    def _moved_late(self, moved: Iterable[str]) -> FrameFormatError:
        axes = ", ".join(sorted(moved))
        return FrameFormatError(
            f"{self._name}: {axes} moves too, after frames were numbered by time alone; those before were taken",
            limit=self._what_there_is(),
            remedy="replay the dataset once it is whole, or pick one in [source] axes",
        )

    def _what_there_is(self) -> str:
        def values(seen: Iterable[int | str]) -> str:
            names = [repr(value) for value in seen]
            return ", ".join(names[:MOST_NAMED]) + (", ..." if len(names) > MOST_NAMED else "")

        axes = {axis: seen for axis, seen in self._seen.items() if axis != TIME}
        return "there is: " + ("; ".join(f"{axis} {values(seen)}" for axis, seen in axes.items()) or "no image yet")

    def _example(self, axes: Iterable[str]) -> str:
        first = {axis: next(iter(self._seen[axis])) for axis in axes}
        return ", ".join(f"{axis} = {json.dumps(value)}" for axis, value in first.items())


def _differ(one: Axes, other: Axes) -> set[str]:
    """Return the axes on which two positions differ."""
    return {axis for axis in one.keys() | other.keys() if one.get(axis) != other.get(axis)}
