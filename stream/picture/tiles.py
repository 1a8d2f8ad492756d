"""Tiles of the super-resolved image, in a pyramid whose levels halve in resolution and keep the sum.

Decision: each level is one zeroed array whose tiles lie one after the other. Context: most tiles of a large field stay
empty for long. Consequence: the operating system hands out memory at the first touch, and compiled code draws on the
array as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from stream.errors import RigError

Float32Array = NDArray[np.float32]
Marks = NDArray[np.bool_]

DUST = 1e-6
"""Localizations per pixel that rounding leaves where something was taken out."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One square of the pyramid.

    Parameters
    ----------
    level : int
        0 is the finest; a pixel of level k is 2**k pixels of level 0 wide.
    row, column : int
        Place among the tiles of the level; y down, x right.
    origin_nm : (x, y) float
        Outer corner of the tile's pixel (0, 0).
    pixel_nm : float
        Pixel size of the level.
    values : (y, x) float32
        Localizations per pixel, or the mean of what they carry; zero beyond the field.
    layer : str
        "density", or one of `stream.picture.layers.LAYERS`.
    """

    level: int
    row: int
    column: int
    origin_nm: tuple[float, float]
    pixel_nm: float
    values: Float32Array
    layer: str = "density"


class Level:
    """One resolution of the pyramid.

    Parameters
    ----------
    number : int
        0 is the finest.
    height_px, width_px : int
        Pixels of the field at this resolution.
    pixel_nm : float
        Pixel size at this resolution.
    tile_px : int
        Side of a tile.
    values : (row, column, y, x) float32, optional
        Where its tiles are, if that is allocated already.

    Attributes
    ----------
    values : (row, column, y, x) float32
        All tiles, localizations per pixel.
    stale, changed, drawn : (row, column) bool
        Tiles whose parent is out of date; tiles that changed since they were last asked for; tiles that hold something.
    """

    def __init__(
        self,
        number: int,
        height_px: int,
        width_px: int,
        pixel_nm: float,
        tile_px: int,
        values: Float32Array | None = None,
    ) -> None:
        self.number, self.pixel_nm, self.tile_px = number, pixel_nm, tile_px
        self.height_px, self.width_px = height_px, width_px
        rows, columns = ceil(height_px / tile_px), ceil(width_px / tile_px)
        self.values = np.zeros((rows, columns, tile_px, tile_px), np.float32) if values is None else values
        self.stale, self.changed, self.drawn = np.zeros((3, rows, columns), bool)

    def tile(self, row: int, column: int) -> Tile:
        """Return a copy of one tile."""
        side_nm = self.tile_px * self.pixel_nm
        origin_nm = (column * side_nm, row * side_nm)
        return Tile(self.number, row, column, origin_nm, self.pixel_nm, self.values[row, column].copy())

    def image(self) -> Float32Array:
        """Return the field at this resolution, (y, x) float32 localizations per pixel."""
        rows, columns, side, _ = self.values.shape
        whole = self.values.transpose(0, 2, 1, 3).reshape(rows * side, columns * side)
        return whole[: self.height_px, : self.width_px]

    def mark(self, tiles: Marks) -> None:
        """Note that these tiles, (row, column) bool, were drawn on."""
        for marks in (self.stale, self.changed, self.drawn):
            marks |= tiles


class Pyramid:
    """All levels of the super-resolved image, from the finest to the one that fits into a single tile.

    Parameters
    ----------
    height_px, width_px : int
        Pixels of the field at level 0.
    pixel_nm : float
        Pixel size at level 0.
    tile_px : int
        Side of a tile; even.
    finest : (row, column, y, x) float32, optional
        Where the tiles of level 0 are, if that is allocated already.

    Raises
    ------
    RigError
        There is no memory for an image of this size.
    """

    def __init__(
        self, height_px: int, width_px: int, pixel_nm: float, tile_px: int, finest: Float32Array | None = None
    ) -> None:
        halvings = max(0, ceil(np.log2(max(height_px, width_px) / tile_px)))
        try:
            self.levels = [
                Level(k, -(-height_px // 2**k), -(-width_px // 2**k), pixel_nm * 2**k, tile_px, None if k else finest)
                for k in range(halvings + 1)
            ]
        except MemoryError as error:
            raise RigError(
                f"a super-resolved image of {width_px} x {height_px} pixels cannot be held",
                limit=f"it needs {height_px * width_px * 5.4e-9:.0f} GB of memory",
                remedy="choose a larger [render] pixel_nm",
            ) from error

    def wipe_dust(self) -> None:
        """Make empty again what rounding left, in the tiles of level 0 that were drawn on since `refresh`."""
        finest = self.levels[0]
        for row, column in np.argwhere(finest.stale).tolist():
            values = finest.values[row, column]
            values[np.abs(values) < DUST] = 0

    def clear(self) -> None:
        """Make all levels empty."""
        for level in self.levels:
            level.values[level.drawn] = 0
            level.changed |= level.drawn
            level.stale[:] = False

    def refresh(self) -> None:
        """Bring all coarser levels up to date; costs as much as was drawn on since the last time."""
        for level, parent in zip(self.levels, self.levels[1:], strict=False):
            rows, columns = np.nonzero(level.stale)
            for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
                _reduce(level, parent, row, column)
            above = np.zeros_like(parent.stale)
            above[rows // 2, columns // 2] = True
            parent.mark(above)
            level.stale[:] = False

    def change_all(self) -> None:
        """Let `changed` yield all that holds something, once more."""
        for level in self.levels:
            level.changed |= level.drawn

    def changed(self) -> Iterator[Tile]:
        """Yield the tiles of all levels that changed since they were last yielded, the coarsest first.

        A tile is copied when it is yielded: who takes them slowly gets newer ones, not more of them.
        """
        self.refresh()
        for level in reversed(self.levels):
            for row, column in np.argwhere(level.changed).tolist():
                level.changed[row, column] = False
                yield level.tile(row, column)


def cut(image: Float32Array, tile_px: int) -> Float32Array:
    """Return an image (y, x) as tiles (row, column, y, x), zero beyond it."""
    rows, columns = (ceil(side / tile_px) for side in image.shape)
    whole = np.zeros((rows * tile_px, columns * tile_px), np.float32)
    whole[: image.shape[0], : image.shape[1]] = image
    return whole.reshape(rows, tile_px, columns, tile_px).transpose(0, 2, 1, 3)


def _reduce(level: Level, parent: Level, row: int, column: int) -> None:
    """Sum 2 x 2 pixels of a tile into its quarter of the parent tile."""
    values, half = level.values[row, column], level.tile_px // 2
    pairs = values[0::2] + values[1::2]
    top, left = row % 2 * half, column % 2 * half
    np.add(
        pairs[:, 0::2], pairs[:, 1::2], out=parent.values[row // 2, column // 2, top : top + half, left : left + half]
    )
