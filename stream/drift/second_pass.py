"""At the end of a run: each block is laid over all the others, those that came later too."""

from __future__ import annotations

import numpy as np

from stream.drift.blocks import Block
from stream.drift.curve import Curve
from stream.drift.reference import Reference
from stream.drift.tracker import lay_over

RANGE_NM = 80.0
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
        """Take a block; where it cannot be laid over the others, the first curve stays."""
        expected = self._first.at(block.frame)
        found = lay_over(block, -expected, self._reference, RANGE_NM, block.number)
        shift = found.shift_nm if found.inside and found.height else np.zeros(3)
        self._curve.add(float(block.frame.mean()), expected.mean(0) + shift)

    def curve(self) -> Curve:
        """Return the second curve, which starts at zero; the first one if there are no knots."""
        return self._curve.started_at_zero() if len(self._curve) else self._first
