"""Which parts of a frame to compute: rectangles around active tiles, and what has to be computed around them."""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy.ndimage import binary_dilation, find_objects, label

from stream.engines.activity import TILE_PX, Mask

WORTH = 0.8
"""Of the frame's area: where more would be computed, all of it is, in one piece."""
AROUND = np.ones((3, 3), np.bool_)


class Part(NamedTuple):
    """A rectangle of a frame, in pixels: rows y..y_end-1, columns x..x_end-1."""

    y: int
    y_end: int
    x: int
    x_end: int

    @property
    def area_px(self) -> int:
        """Pixels in it."""
        return (self.y_end - self.y) * (self.x_end - self.x)

    def meets(self, other: Part) -> bool:
        """Say whether it has a pixel in common with another."""
        return self.y < other.y_end and other.y < self.y_end and self.x < other.x_end and other.x < self.x_end

    def around(self, other: Part) -> Part:
        """Return the smallest rectangle that holds both."""
        return Part(
            min(self.y, other.y), max(self.y_end, other.y_end), min(self.x, other.x), max(self.x_end, other.x_end)
        )

    def grown(self, reach_px: int, multiple_px: int, shape: tuple[int, ...]) -> Part:
        """Return it with all that its pixels depend on, from and to multiples, within a frame of `shape` (y, x)."""
        height, width = shape
        return Part(
            max(self.y - reach_px, 0) // multiple_px * multiple_px,
            min(-(-(self.y_end + reach_px) // multiple_px) * multiple_px, height),
            max(self.x - reach_px, 0) // multiple_px * multiple_px,
            min(-(-(self.x_end + reach_px) // multiple_px) * multiple_px, width),
        )


def parts(active: Mask, shape: tuple[int, ...], reach_px: int, multiple_px: int) -> list[Part]:
    """Return rectangles that hold all active tiles of a frame and have no pixel in common.

    Tiles beside one another are in one rectangle, and so are those with a single tile between them, which both would
    have to compute. If not much is left out, the frame is one rectangle.

    Parameters
    ----------
    active : (tile row, tile column) bool
    shape : (int, int)
        Of the frame: y, x.
    reach_px, multiple_px : int
        As on the card.
    """
    if not active.any():
        return []
    near, _ = label(binary_dilation(active, AROUND), AROUND)
    found = [_in_pixels(tiles, shape) for tiles in find_objects(near * active) if tiles is not None]
    while met := next(((a, b) for a, b in combinations(found, 2) if a.meets(b)), None):
        found = [part for part in found if part not in met] + [met[0].around(met[1])]
    whole = Part(0, shape[0], 0, shape[1])
    if computed_share(found, shape, reach_px, multiple_px) > WORTH:
        return [whole]
    return sorted(found)


def computed_share(found: list[Part], shape: tuple[int, ...], reach_px: int, multiple_px: int) -> float:
    """Return how much of a frame has to be computed for these rectangles."""
    return sum(part.grown(reach_px, multiple_px, shape).area_px for part in found) / (shape[0] * shape[1])


def _in_pixels(tiles: tuple[slice, ...], shape: tuple[int, ...]) -> Part:
    rows, columns = tiles
    return Part(
        rows.start * TILE_PX, min(rows.stop * TILE_PX, shape[0]), columns.start * TILE_PX,
        min(columns.stop * TILE_PX, shape[1]),
    )  # fmt: skip
