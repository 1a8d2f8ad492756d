"""Where molecules are in the frames of a batch, in pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from models.localizations import Localizations

Int64 = NDArray[np.int64]
REACH_CELLS = 2
"""Cells of 2 x 2 pixels around the one of a molecule that its light reaches: at least 4 pixels to each side."""
_AROUND = np.arange(-REACH_CELLS, REACH_CELLS + 1)


@dataclass(frozen=True, slots=True)
class Places:
    """Localizations of a batch.

    Parameters
    ----------
    frame : (n,) int64
        Which frame of the batch, from 0.
    row, column : (n,) int64
        The pixel that each lies in.
    """

    frame: Int64
    row: Int64
    column: Int64

    @classmethod
    def of(cls, table: Localizations, index: Int64, pixel_nm: float) -> Self:
        """Return where the rows of a table are; rows of other frames are left out, and those without a position.

        Parameters
        ----------
        table : Localizations
        index : (t,) int64
            Absolute indices of the batch's frames, ascending.
        pixel_nm : float
        """
        frame, x, y = (np.asarray(table[name]) for name in ("frame", "x_nm", "y_nm"))
        at = np.minimum(np.searchsorted(index, frame), len(index) - 1)
        here = (index[at] == frame) & np.isfinite(x) & np.isfinite(y)
        row, column = (np.floor(place[here] / pixel_nm).astype(np.int64) for place in (y, x))
        return cls(at[here].astype(np.int64), row, column)

    def within(self, first: int, last: int) -> Places:
        """Return those of the frames from first to last, the last included."""
        here = (self.frame >= first) & (self.frame <= last)
        return Places(self.frame[here], self.row[here], self.column[here])

    def free_cells(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """Return which cells of 2 x 2 pixels no molecule reaches, (y, x) of this shape in cells."""
        free = np.ones(shape, np.bool_)
        rows, columns = (
            np.clip(place[:, None] // 2 + _AROUND, 0, side - 1)
            for place, side in zip((self.row, self.column), shape, strict=True)
        )
        free[rows[:, :, None], columns[:, None, :]] = False
        return free
