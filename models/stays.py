"""How long molecules stay on and which of them stand alone, from a few pairs of neighbouring frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from models.localizations import Localizations

SAME_NM = 60.0
"""A molecule is found again within this: several uncertainties, and far less than what lies between two molecules."""
ALONE_NM = 1000.0
"""The light of molecules that are farther apart does not overlap."""
ROWS_A_TABLE, ROWS = 256, 4096
"""Localizations that are looked at: of one table, and altogether. A pair of frames is taken whole."""


@dataclass(slots=True)
class Stays:
    """Counts localizations, and those that are there again one frame later.

    Decision: pairs of frames instead of whole tracks. Context: linking every frame costs several percent of a run.
    Consequence: a mean on-time, no histogram of on-times.

    Attributes
    ----------
    seen, again : int
        Localizations in the first frame of each pair, and those of them that the second one has too.
    """

    seen: int = 0
    again: int = 0

    def add(self, table: Localizations) -> NDArray[np.int64]:
        """Look at pairs of frames of a table in frame order; return rows that stand alone in theirs."""
        frame = np.asarray(table["frame"])
        places = np.column_stack([np.asarray(table["x_nm"], np.float64), np.asarray(table["y_nm"], np.float64)])
        starts = np.flatnonzero(np.diff(frame, prepend=-1 if not len(frame) else frame[0] - 1))
        ends = np.append(starts[1:], len(frame))
        alone, looked_at = [], 0
        for k in range(0, len(starts) - 1, 2):
            if looked_at >= ROWS_A_TABLE or self.seen >= ROWS:
                break
            alone.append(starts[k] + _alone(places[starts[k] : ends[k]]))
            looked_at += int(ends[k] - starts[k])
            follows = frame[starts[k + 1]] == frame[starts[k]] + 1
            self._pair(places[starts[k] : ends[k]], places[starts[k + 1] : ends[k + 1]] if follows else places[:0])
        return np.concatenate(alone) if alone else np.empty(0, np.int64)

    def _pair(self, now: NDArray[np.float64], then: NDArray[np.float64]) -> None:
        self.seen += len(now)
        if len(now) and len(then):
            to_then = np.asarray(cKDTree(then).query(now, distance_upper_bound=SAME_NM)[1])
            self.again += len(np.unique(to_then[to_then < len(then)]))

    def __add__(self, other: Stays) -> Stays:
        return Stays(self.seen + other.seen, self.again + other.again)

    @property
    def on_time_frames(self) -> float | None:
        """Mean on-time; None where too little was seen.

        A stay of exponential length with mean tau touches tau + 1 frames on average: seen / (seen - again) = tau + 1.
        """
        gone = self.seen - self.again
        return self.again / gone if gone >= 10 else None


def _alone(places: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the rows (n, 2) nm that have no neighbour near."""
    if len(places) < 2:
        return np.arange(len(places))
    distance = np.asarray(cKDTree(places).query(places, k=2, distance_upper_bound=ALONE_NM)[0])
    return np.flatnonzero(np.isinf(distance[:, 1]))
