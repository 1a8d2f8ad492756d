"""Beads that shine all the time: the mean of their tracks is the drift."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stream.drift.blocks import Block
from stream.drift.curve import Curve

Float64 = NDArray[np.float64]
SEEN = 0.25
"""In so many of a block's frames a bead must be found."""
WIDTHS, STEPS = 3.0, 5
"""A bead's localizations lie within so many uncertainties of their mean, found in so many steps."""


class Fiducials:
    """The drift as the mean track of beads.

    A bead that is not seen in a block is left out there; one that is seen for the first time later on starts from the
    drift of the others.

    Parameters
    ----------
    beads_nm : sequence of (x, y)
        Where they are at the start, nm.
    range_nm : float
        A bead is looked for so far from where it is expected.

    Attributes
    ----------
    curve, localizations, remark
        As of `Tracker`.
    """

    def __init__(self, beads_nm: Sequence[tuple[float, float]], range_nm: float) -> None:
        self._marked, self._range_nm = np.array(beads_nm, np.float64), range_nm
        self._start = np.full((len(beads_nm), 3), np.nan)
        self.curve = Curve()
        self.localizations = 0
        self.remark = ""

    def add(self, block: Block) -> bool:
        """Take a block; return whether the curve has a new knot."""
        moved = self.curve.drift_nm[-1] if len(self.curve) else np.zeros(3)
        places, counts = self._places(block, moved)
        seen = np.isfinite(places[:, 0])
        self._say(seen, block)
        if not seen.any():
            return False
        if not len(self.curve):
            self.curve = Curve(deep=block.sigma_nm[1] > 0)
        tracks = places - self._start
        known = np.isfinite(tracks[:, 0])
        drift = tracks[known].mean(0) if known.any() else moved
        self._start = np.where(np.isfinite(self._start), self._start, places - drift)
        self.curve.add(float(block.frame.mean()), drift)
        self.localizations += int(counts.sum())
        return True

    def _places(self, block: Block, moved: Float64) -> tuple[Float64, NDArray[np.int64]]:
        """Return where each bead is now, (beads, 3) nm, nan if it is not seen; and from how many localizations."""
        found = [self._place(block, bead + moved[:2]) for bead in self._marked]
        return np.array([place for place, _ in found]), np.array([count for _, count in found])

    def _place(self, block: Block, expected: Float64) -> tuple[Float64, int]:
        points = block.points.astype(np.float64)
        near = points[(np.abs(points[:, :2] - expected) < self._range_nm).all(axis=1)]
        if len(near) < SEEN * len(np.unique(block.frame)):
            return np.full(3, np.nan), 0
        centre, reach = np.median(near, axis=0), WIDTHS * np.sqrt(2) * block.sigma_nm[0]
        for _ in range(STEPS):
            own = near[np.hypot(*(near[:, :2] - centre[:2]).T) < reach]
            if len(own):
                centre = own.mean(0)
        return centre, len(own)

    def _say(self, seen: NDArray[np.bool_], block: Block) -> None:
        missing = ", ".join(f"({x:g}, {y:g})" for x, y in self._marked[~seen])
        self.remark = (
            f"no bead within {self._range_nm:g} nm of where those marked at {missing} nm should be in frame "
            f"{block.frame[-1]}" + ("" if seen.any() else ": the curve stays where it was")
            if missing
            else ""
        )
