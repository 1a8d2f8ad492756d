"""The drift curve: knots in time, straight lines between, and what a table becomes when it is taken out.

Decision: lines, not splines. Context: a sample that slips makes a spline swing on both sides of the slip. Consequence:
a drift that bends within two blocks is followed less closely; shorter blocks mend that.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.localizations import Localizations

Float64 = NDArray[np.float64]
AXES = ("x_nm", "y_nm", "z_nm")
INTERPOLATION = (
    "straight between the knots; beyond the first and the last it goes on for as long as the nearest interval, with "
    "the smaller slope of the two nearest intervals, level if they differ in sign; constant farther out"
)


class Curve:
    """How far the sample has moved, by frame.

    Parameters
    ----------
    deep : bool
        Whether there is a drift along z; else it is zero.
    """

    def __init__(self, deep: bool = True) -> None:
        self.deep = deep
        self._size, self._frame, self._drift = 0, np.empty(64), np.empty((64, 3))

    def __len__(self) -> int:
        return self._size

    @property
    def frames(self) -> Float64:
        """Frame of each knot, (k,): the mean of its block's localizations, not whole."""
        return self._frame[: self._size]

    @property
    def drift_nm(self) -> Float64:
        """Drift at each knot, (k, 3) nm: x, y, z."""
        return self._drift[: self._size]

    def add(self, frame: float, drift_nm: Float64) -> None:
        """Append a knot, (3,) nm; frames ascend."""
        if self._size == len(self._frame):
            self._frame, self._drift = (np.concatenate((part, part)) for part in (self._frame, self._drift))
        self._frame[self._size], self._drift[self._size] = frame, drift_nm
        self._size += 1

    def at(self, frames: NDArray[Any]) -> Float64:
        """Return the drift at these frames, (n, 3) nm; zero while there is no knot."""
        if not self._size:
            return np.zeros((len(frames), 3))
        knots, drift = _with_ends(self.frames, self.drift_nm)
        at = np.asarray(frames, np.float64)
        return np.stack([np.interp(at, knots, drift[:, axis]) for axis in range(3)], axis=1)

    def started_at_zero(self) -> Curve:
        """Return the same curve with no drift at its first knot."""
        moved = Curve(self.deep)
        for frame, drift in zip(self.frames, self.drift_nm - self.drift_nm[:1], strict=True):
            moved.add(frame, drift)
        return moved

    def corrected(self, table: Localizations) -> Localizations:
        """Return the table with its drift taken out; the table itself stays as it is."""
        drift = self.at(table["frame"])
        return shifted(table, -drift)


def shifted(table: Localizations, by_nm: Float64) -> Localizations:
    """Return the table moved by (n, 3) nm."""
    columns = {name: table[name] for name in table}
    for axis, name in enumerate(AXES):
        if name in table:
            columns[name] = np.asarray(table[name], np.float64) + by_nm[:, axis]
    return Localizations(columns)


def _with_ends(frames: Float64, drift: Float64) -> tuple[Float64, Float64]:
    """Return the knots with one more at each end: the slope there is limited by minmod (Roe, 1986).

    A curve that goes on steadily is carried on; noise and slips are not.
    """
    if len(frames) < 3:
        return frames, drift
    begin = frames[0] - (frames[1] - frames[0]), drift[0] - _minmod(frames[:3], drift[:3])[0]
    end = frames[-1] + (frames[-1] - frames[-2]), drift[-1] + _minmod(frames[-3:], drift[-3:])[1]
    return (
        np.concatenate(([begin[0]], frames, [end[0]])),
        np.concatenate((begin[1][None], drift, end[1][None])),
    )


def _minmod(frames: Float64, drift: Float64) -> tuple[Float64, Float64]:
    """Return the movement that three knots foretell for an interval as long as their first, and as their last."""
    length = np.diff(frames)
    slopes = np.diff(drift, axis=0) / length[:, None]
    same = np.sign(slopes[0]) == np.sign(slopes[1])
    slope = np.where(same, np.sign(slopes[0]) * np.abs(slopes).min(0), 0.0)
    return slope * length[0], slope * length[-1]
