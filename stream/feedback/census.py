"""How many molecules a frame holds: counted over the frames that were taken under the present power."""

from __future__ import annotations

import numpy as np

from stream.stages.stage import Located


class Census:
    """Counts rows of the table and the frames they come from, also those without a row.

    Decision: only frames that were taken after the last change count. Context: frames wait in the ring, more of them
    when the analyzer is behind, and tell of the power before. Consequence: the loop grows slower with the lag, it
    never acts upon what it has already acted upon.

    Attributes
    ----------
    frames : int
        That were counted.
    last : int
        Newest of them, absolute; -1 if there is none.
    """

    def __init__(self) -> None:
        self.begin_after(-1)

    def begin_after(self, frame: int) -> None:
        """Count anew, from the frame behind this one."""
        self._after, self._molecules, self.frames, self.last = frame, 0, 0, -1

    def add(self, located: Located) -> int:
        """Count what was located; return how many frames of it count."""
        index = located.index[located.index > self._after]
        if len(index):
            self._molecules += int((np.asarray(located.table["frame"]) > self._after).sum())
            self.frames, self.last = self.frames + len(index), int(index[-1])
        return len(index)

    @property
    def mean(self) -> float:
        """Molecules in a frame; nan without a frame."""
        return self._molecules / self.frames if self.frames else float("nan")
