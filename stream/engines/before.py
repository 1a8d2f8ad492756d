"""The two frames before a batch, for engines that have not seen them: with these in front, a batch can begin anew.

A frame is located from itself, the one before and the one after it, and nothing else is carried on from batch to batch.
"""

from __future__ import annotations

import numpy as np

from stream.engine import Rows
from stream.frame import UInt16Array

FRAMES = 2


class FramesBefore:
    """Keeps the last two frames."""

    def __init__(self) -> None:
        self._kept: UInt16Array | None = None

    def joined(self, frames: UInt16Array, anew: bool) -> UInt16Array:
        """Return a batch with what must be in front of it, so that it can begin anew; as in `Plan.submit`.

        The first frame of all stands in for the one before it.
        """
        if anew:
            self._kept = np.concatenate((frames[:1], frames))[-FRAMES:]
            return frames
        assert self._kept is not None, "the first batch begins anew"
        joined = np.concatenate((self._kept, frames))
        self._kept = joined[-FRAMES:].copy()
        return joined


def behind(rows: Rows, anew: bool) -> Rows:
    """Return the answer to a batch out of that to the joined one; `anew` is that of the batch."""
    if anew:
        return rows
    here = rows.frame >= FRAMES - 1  # the frame that had none before it is told by the batch before
    return Rows(rows.frame[here] - (FRAMES - 1), rows.table[here])
