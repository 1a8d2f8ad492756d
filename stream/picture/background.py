"""The background of the whole field, from what the localizer says under each molecule, smoothed in space and time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from models.localizations import Localizations

CELL_PX = 4
"""Camera pixels along a cell of the picture: backgrounds are smooth, and molecules far between."""
BLUR_CELLS = 1.5
MEMORY_FRAMES = 1000.0
"""What is so many frames old counts a third."""
LEAST_WEIGHT = 0.02
"""Molecules, blurred and faded, that a cell must have seen."""


class BackgroundMap:
    """A weighted mean over the molecules near each cell (normalized convolution: Knutsson & Westin, CVPR 1993).

    Parameters
    ----------
    height_px, width_px : int
        Of the camera frames.
    pixel_size_nm : float
        Of the camera.
    """

    def __init__(self, height_px: int, width_px: int, pixel_size_nm: float) -> None:
        shape = -(-height_px // CELL_PX), -(-width_px // CELL_PX)
        self.pixel_nm, self.cell_nm = pixel_size_nm, CELL_PX * pixel_size_nm
        self._sum, self._weight, self._frame = np.zeros(shape), np.zeros(shape), 0

    def add(self, table: Localizations, last: int) -> None:
        """Take the localizations of frames up to `last`; a table without background changes nothing."""
        fade = np.exp(-max(last - self._frame, 0) / MEMORY_FRAMES)
        self._frame = last
        self._sum *= fade
        self._weight *= fade
        if "background" not in table:
            return
        level, x, y = (np.asarray(table[name], np.float64) for name in ("background", "x_nm", "y_nm"))
        good = np.isfinite(level) & np.isfinite(x) & np.isfinite(y)
        row, column = ((values[good] // self.cell_nm).astype(np.int64) for values in (y, x))
        inside = (row >= 0) & (row < self._sum.shape[0]) & (column >= 0) & (column < self._sum.shape[1])
        at = row[inside], column[inside]
        np.add.at(self._sum, at, level[good][inside])
        np.add.at(self._weight, at, 1.0)

    def picture(self) -> NDArray[np.float32]:
        """Return photo-electrons per camera pixel (y, x) in cells; nan where no molecule was near."""
        total, weight = (gaussian_filter(values, BLUR_CELLS, mode="constant") for values in (self._sum, self._weight))
        seen = weight > LEAST_WEIGHT
        return np.where(seen, total / np.where(seen, weight, 1.0), np.nan).astype(np.float32)
