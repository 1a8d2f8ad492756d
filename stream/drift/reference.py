"""What blocks are aligned against: a bounded, even sample of everything before, corrected for its drift."""

from __future__ import annotations

import numpy as np

from stream.drift.intersections import Bins, Points, binned

CAPACITY = 1 << 17
"""Points kept: 2 MB."""
FEWEST = 1 << 14
"""Points that are looked at, if there are as many."""


class Reference:
    """A reservoir (Vitter, ACM Trans. Math. Softw. 11, 37 (1985), algorithm R): each point so far is as likely kept.

    Decision: all times count the same, none is forgotten. Context: a reference of the newest blocks walks away with
    their errors. Consequence: what has bleached stays in it, and costs some pairs.

    Parameters
    ----------
    capacity : int
        Points kept at most.
    seed : int
    """

    def __init__(self, capacity: int = CAPACITY, seed: int = 0) -> None:
        self._points, self._block = np.empty((capacity, 3), np.float32), np.empty(capacity, np.int32)
        self._seen, self._random = 0, np.random.default_rng(seed)

    def __len__(self) -> int:
        return min(self._seen, len(self._points))

    def add(self, points: Points, block: int) -> None:
        """Take corrected points, (n, 3) nm, of a block."""
        number = self._seen + np.arange(len(points))
        at = (self._random.random(len(points)) * (number + 1)).astype(np.int64)
        at = np.where(number < len(self._points), number, at)
        kept = at < len(self._points)
        self._points[at[kept]], self._block[at[kept]] = points[kept], block
        self._seen += len(points)

    def bins(self, side_nm: float, every: int = 1) -> Bins:
        """Return the sample in squares, one point of so many, but not fewer than FEWEST; there must be a point."""
        rows = slice(0, len(self), max(1, min(every, len(self) // FEWEST)))
        return binned(self._points[rows], self._block[rows], side_nm)
