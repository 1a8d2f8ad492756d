"""Block after block -> knots of the drift curve: each is laid over the reference of all that was before."""

from __future__ import annotations

from collections import deque
from statistics import median

import numpy as np
from numpy.typing import NDArray

from stream.drift.blocks import Block, joined
from stream.drift.curve import Curve
from stream.drift.intersections import binned, differences, too_many
from stream.drift.peak import MARGIN, Peak, peak
from stream.drift.reference import Reference

Float64 = NDArray[np.float64]
WIDEST_NM, NARROWEST_NM = 60.0, 8.0
"""Limits of the width that differences are smoothed with."""
FARTHER = 4
"""So many times as far is looked for a drift that was lost."""
LEAST_OVERLAP = 0.4
"""Of what earlier blocks had in common with the reference, so much a block must have: the sample is the same."""
REMEMBERED = 16
PARTS = 4
"""Of a block, which must lie in the same place, or on a straight way, where that is not clear."""
JOINED_BLOCKS = 4
"""Blocks that could not be laid over the reference are tried again together, so many at most."""


class Tracker:
    """The drift while the camera runs.

    Decision: a block that cannot be laid over the reference gives no knot, and is tried again together with the next.
    Context: a wrong knot looks like a right one. Consequence: the curve stays at the last knot, and where two blocks
    together are of no avail `remark` says since when, and the drift is looked for farther out.

    Parameters
    ----------
    range_nm : float
        It is looked for so far around where it is expected.

    Attributes
    ----------
    curve : Curve
    localizations : int
        That the curve rests on.
    remark : str
        What is wrong, in words; empty while nothing is.
    """

    def __init__(self, range_nm: float) -> None:
        self._range_nm, self._reference, self._overlaps = range_nm, Reference(), deque[float](maxlen=REMEMBERED)
        self._waiting: Block | None = None
        self.curve = Curve()
        self.localizations = 0
        self.remark = ""
        one = np.zeros((1, 3), np.float32)  # what is compiled is so before the first frame
        bins = binned(one, np.zeros(1, np.int32), range_nm)
        too_many(one, bins)
        differences(one, bins, (range_nm, 0.0))

    @property
    def reference(self) -> Reference:
        """All that was found, corrected, a bounded sample."""
        return self._reference

    def add(self, block: Block) -> bool:
        """Take a block; return whether the curve has a new knot."""
        if not len(self._reference):
            self.curve = Curve(deep=block.sigma_nm[1] > 0)
            self._accept(block, np.zeros(3))
            return True
        block = block if self._waiting is None else joined(self._waiting, block)
        expected = self.curve.at(block.frame)
        found = self._search(block, expected) if self.remark else np.zeros(3)
        if found is not None:
            expected = expected + found
            found = self._align(block, expected)
        if found is None:
            self._wait(block)
            return False
        self._accept(block, expected.mean(0) + found)
        self._waiting, self.remark = None, ""
        return True

    def _search(self, block: Block, expected: Float64) -> Float64 | None:
        """Look farther for a drift that was lost."""
        found = self._lay(block, expected, FARTHER * self._range_nm)
        return None if found is None else found.shift_nm

    def _align(self, block: Block, expected: Float64) -> Float64 | None:
        """Return how far the block is from where it is expected, (3,) nm; None if it has too little in common."""
        found = self._lay(block, expected, self._range_nm)
        if found is None:
            return None
        overlap = found.height / len(block) / len(self._reference)
        if overlap < LEAST_OVERLAP * median(self._overlaps or [0.0]):
            return None
        self._overlaps.append(overlap)
        return found.shift_nm

    def _lay(self, block: Block, expected: Float64, range_nm: float) -> Peak | None:
        """Return where the block lies, if there is one clear place for it, or the same one for each of its parts.

        A few filaments make a ridge of places, almost as good as the best one; a sample without structure has a best
        place too, but another one each time. The parts are asked too where a mistake is likely: before anything is
        known of what blocks have in common, and once the drift is lost.
        """
        whole = lay_over(block, -expected, self._reference, range_nm)
        if whole.is_clear and self._overlaps and not self.remark:
            return whole
        if not whole.inside or not whole.height:
            return None
        shifts = np.array_split(-expected, PARTS)
        cut = zip(block.parts(PARTS), shifts, strict=True)
        parts = [lay_over(part, by, self._reference, range_nm) for part, by in cut]
        return whole if whole.is_mean_of(parts) else None

    def _accept(self, block: Block, drift_nm: Float64) -> None:
        self.curve.add(float(block.frame.mean()), drift_nm)
        self._reference.add(block.moved(-self.curve.at(block.frame)), block.number.start)
        self.localizations += len(block)

    def _wait(self, block: Block) -> None:
        """Try again with the next block beside this one; if both were tried together in vain, the drift is lost."""
        if self._waiting is not None:
            since = round(self.curve.frames[-1])
            self.remark = (
                f"no drift was found within {self._range_nm:g} nm since frame {since}: the sample has moved farther, "
                "or what is seen has too little in common with what was before; the curve stays where it was"
            )
        self._waiting = block if len(block.number) < JOINED_BLOCKS else None


def lay_over(block: Block, by_nm: Float64, reference: Reference, range_nm: float, own: range = range(0)) -> Peak:
    """Return by how much a block, moved by (n, 3) nm, lies beside the reference; without points of blocks `own`."""
    width, width_z = (float(np.clip(np.sqrt(2) * sigma, NARROWEST_NM, WIDEST_NM)) for sigma in block.sigma_nm)
    side = range_nm + MARGIN * width
    reach = side, range_nm + MARGIN * width_z if block.sigma_nm[1] else 0.0
    points, bins = block.moved(by_nm), reference.bins(side)
    if (excess := too_many(points, bins)) > 1:
        bins = reference.bins(side, excess)
        points = points[:: max(1, too_many(points, bins))]
    return peak(differences(points, bins, reach, own), reach, (width, width_z))
