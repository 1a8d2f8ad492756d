"""Frame indices as sorted, disjoint ranges: a million frames in a row are one pair of numbers."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator


class Ranges:
    """A set of frame indices, kept as ranges that neither touch nor overlap.

    Parameters
    ----------
    ranges : iterable of (first, last)
        Absolute frame indices, both inclusive, in any order.
    """

    __slots__ = ("_firsts", "_lasts")

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        self.update(ranges)

    def add(self, first: int, last: int | None = None) -> None:
        """Add `first`..`last`, inclusive; `first` alone if `last` is None. At the end of the last range: O(1)."""
        last = first if last is None else last
        if last < first:
            raise ValueError(f"a range must not end before it begins: {first}..{last}")
        if not self._lasts or first > self._lasts[-1] + 1:
            self._firsts.append(first)
            self._lasts.append(last)
        elif first >= self._firsts[-1]:
            self._lasts[-1] = max(last, self._lasts[-1])
        else:
            self._merge(first, last)

    def _merge(self, first: int, last: int) -> None:
        """Replace all ranges that touch `first`..`last` by one."""
        low = bisect_left(self._lasts, first - 1)
        high = bisect_right(self._firsts, last + 1)
        if low < high:
            first, last = min(first, self._firsts[low]), max(last, self._lasts[high - 1])
        self._firsts[low:high], self._lasts[low:high] = [first], [last]

    def update(self, ranges: Iterable[tuple[int, int]]) -> None:
        """Add every range of `ranges`."""
        for first, last in ranges:
            self.add(first, last)

    def add_indices(self, indices: Iterable[int]) -> None:
        """Add single frame indices."""
        for index in indices:
            self.add(index)

    def __contains__(self, index: int) -> bool:
        place = bisect_right(self._firsts, index) - 1
        return place >= 0 and index <= self._lasts[place]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Iterate over (first, last), in order."""
        return zip(self._firsts, self._lasts, strict=True)

    def __len__(self) -> int:
        """Return the number of ranges; `total` is the number of indices."""
        return len(self._firsts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ranges) and (self._firsts, self._lasts) == (other._firsts, other._lasts)

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __repr__(self) -> str:
        return f"Ranges({self.to_list()})"

    @property
    def total(self) -> int:
        """Number of indices."""
        return sum(self._lasts) - sum(self._firsts) + len(self._firsts)

    @property
    def last(self) -> int | None:
        """Highest index; None if empty."""
        return self._lasts[-1] if self._lasts else None

    def within(self, first: int, last: int) -> Ranges:
        """Return the part inside `first`..`last`; costs only what lies there."""
        part = Ranges()
        for place in range(bisect_left(self._lasts, first), bisect_right(self._firsts, last)):
            part.add(max(first, self._firsts[place]), min(last, self._lasts[place]))
        return part

    def difference(self, other: Ranges) -> Ranges:
        """Return what is here and not in `other`."""
        left = Ranges()
        for begin, end in self:
            start = begin
            for first, last in other.within(begin, end):
                if first > start:
                    left.add(start, first - 1)
                start = last + 1
            if start <= end:
                left.add(start, end)
        return left

    def union(self, other: Ranges) -> Ranges:
        """Return what is here or in `other`."""
        both = Ranges(self)
        both.update(other)
        return both

    def to_list(self) -> list[tuple[int, int]]:
        """Return [(first, last), ...], in order."""
        return list(self)
