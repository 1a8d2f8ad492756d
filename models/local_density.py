"""How dense molecules are where they are, not over a field that is mostly empty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np

from models.localizations import Localizations

CELL_NM = 1000.0


class CellCounts:
    """Counts localizations in cells of one square micrometre.

    Parameters
    ----------
    height_nm, width_nm : float
        Of the field.
    """

    def __init__(self, height_nm: float, width_nm: float) -> None:
        self._rows, self._columns = (max(1, int(np.ceil(side / CELL_NM))) for side in (height_nm, width_nm))
        self._size_nm = (height_nm, width_nm)
        self._counts = np.zeros(self._rows * self._columns, np.int64)

    @classmethod
    def together(cls, parts: Sequence[Self]) -> Self:
        """Return the counts of parts, at least one, of the same field."""
        total = cls(*parts[0]._size_nm)
        for part in parts:
            total._counts += part._counts
        return total

    def add(self, table: Localizations) -> None:
        """Count the rows of a table, whose positions are finite; what lies outside counts at the border."""
        row = np.clip(np.asarray(table["y_nm"]) // CELL_NM, 0, self._rows - 1).astype(np.int64)
        column = np.clip(np.asarray(table["x_nm"]) // CELL_NM, 0, self._columns - 1).astype(np.int64)
        self._counts += np.bincount(row * self._columns + column, minlength=len(self._counts))

    def density_per_um2(self, frames: int) -> float | None:
        """Return localizations per frame and square micrometre around a typical localization; None without one.

        The mean of the cells' densities, each weighted by the localizations in it, which do not count themselves.
        """
        total, counts = int(self._counts.sum()), self._counts.astype(np.float64)
        if not total or not frames:
            return None
        return float((counts * (counts - 1)).sum() / total / frames / (CELL_NM / 1000) ** 2)
