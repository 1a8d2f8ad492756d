"""Which part of a field is correlated: all of it if one transform can hold it, else the square with most molecules.

What is lit in most frames, a bead for the stage say, is no molecule: its light is in both halves, and two or three of
them would pretend a resolution that the sample does not have.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label

SIDE_PX = 2048
"""Longest side of a picture that is transformed at once: a fifth of a second, and 130 MB for a moment."""
CELL_NM = 200.0
LIT = 0.7
"""A molecule is not on in so large a part of the frames; a bead is, within two cells each way."""

LEAST_FRAMES = 200
"""Before, a molecule may have been on in most frames."""

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle of the field, in the pixels of the pictures that are correlated.

    Parameters
    ----------
    row, column : int
        Of its first pixel.
    height, width : int
    pixel_nm : float
    whole : bool
        Whether it is all of the field.
    """

    row: int
    column: int
    height: int
    width: int
    pixel_nm: float
    whole: bool

    @property
    def nm(self) -> tuple[float, float, float, float]:
        """Its outer corner, x and y, width and height."""
        x, y, width, height = (self.pixel_nm * n for n in (self.column, self.row, self.width, self.height))
        return x, y, width, height


def whole_field(height_nm: float, width_nm: float, pixel_nm: float) -> Region | None:
    """Return the whole field, None if it is too large for one transform."""
    height, width = ceil(height_nm / pixel_nm), ceil(width_nm / pixel_nm)
    return Region(0, 0, height, width, pixel_nm, True) if max(height, width) <= SIDE_PX else None


def densest(counts: Counts, cell_px: int, pixel_nm: float, frames: int) -> Region:
    """Return the rectangle, SIDE_PX long at most, in which most localizations lie.

    Parameters
    ----------
    counts : (y, x) int64
        Localizations in cells of `cell_px` pixels, of the whole field.
    cell_px : int
    pixel_nm : float
    frames : int
        That they come from.
    """
    molecules = np.where(lit_in_most(counts, frames), 0, counts)
    height, width = (min(SIDE_PX // cell_px, n) for n in counts.shape)
    total = np.pad(molecules.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    inside = total[height:, width:] - total[:-height, width:] - total[height:, :-width] + total[:-height, :-width]
    row, column = np.unravel_index(int(inside.argmax()), inside.shape)
    return Region(
        cell_px * int(row), cell_px * int(column), cell_px * height, cell_px * width, pixel_nm, False
    )  # fmt: skip


def cell_px(pixel_nm: float) -> int:
    """Return the side of a cell in pixels."""
    return max(1, round(CELL_NM / pixel_nm))


def lit_in_most(counts: Counts, frames: int) -> NDArray[np.bool_]:
    """Return in which cells something is lit in most frames, (y, x)."""
    padded = np.pad(counts, 1)
    squares = padded[:-1, :-1] + padded[1:, :-1] + padded[:-1, 1:] + padded[1:, 1:]
    lit = squares >= LIT * max(frames, LEAST_FRAMES)
    cells: NDArray[np.bool_] = lit[:-1, :-1] | lit[1:, :-1] | lit[:-1, 1:] | lit[1:, 1:]
    return cells & (counts > 0)


def places(cells: NDArray[np.bool_]) -> int:
    """Return how many places these cells make up."""
    return int(label(cells, np.ones((3, 3)))[1])
