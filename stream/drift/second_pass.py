"""At the end of a run: each block is laid over all the others, those that came later too."""

from __future__ import annotations

from stream.drift.blocks import Block
from stream.drift.curve import Curve
from stream.drift.reference import Reference
from stream.drift.tracker import lay_over

REACH_NM = 80.0
"""The first pass is not farther off."""


class SecondPass:
    """A second curve, from blocks that come again, against a reference that grows no more.

    Parameters
    ----------
    first : Curve
        Of the first pass.
    reference : Reference
        Its reference; a block is not laid over its own localizations.
    """

    def __init__(self, first: Curve, reference: Reference) -> None:
        self._first, self._reference = first, reference
        self._curve = Curve(first.deep)

    def add(self, block: Block) -> None:
        """Take a block; what cannot be laid over the others gives no knot."""
        expected = self._first.at(block.frame)
        found = lay_over(block, -expected, self._reference, REACH_NM, block.number)
        if found.inside and found.height:
            self._curve.add(float(block.frame.mean()), expected.mean(0) + found.shift_nm)

    def curve(self) -> Curve:
        """Return the second curve, which starts at zero; the first one if there are no knots."""
        return self._curve.started_at_zero() if len(self._curve) else self._first
