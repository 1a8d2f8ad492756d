"""Where in a frame there is light of molecules: a cheap look that may see too much and should miss nothing.

Sums over 3 x 3 and 7 x 7 pixels (a spot in focus, one far from it) are held against their median in the same tile, in
units of the noise that Poisson statistics and the camera's read noise give them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter, uniform_filter1d

from stream.engine import Arrays
from stream.frame import UInt16Array

TILE_PX = 64
WINDOWS_PX = (3, 7)
THRESHOLD = 6.0
"""Standard deviations: beyond what noise does, below what networks take for a molecule."""
MARGIN_PX = 3
"""So far from light a localization of it may lie."""
EVERY_PX = 4
"""Medians are taken over every fourth pixel in either direction."""
Mask = NDArray[np.bool_]


class Activity:
    """Looks at batches of frames of one shape.

    Parameters
    ----------
    maps : dict
        As in `Engine.plan`.
    """

    def __init__(self, maps: Arrays) -> None:
        offset, gain, variance = (np.asarray(maps[name], np.float32) for name in ("offset", "gain", "variance"))
        excess = np.float32(maps["excess"])
        self._offset, self._counts_per_adu = offset, 1 / (gain * excess)
        self._noise = [uniform_filter(variance / excess**2, size) * size**2 for size in WINDOWS_PX]
        self._twice = [np.outer(*(_twice(side, size) for side in offset.shape)) for size in WINDOWS_PX]
        self.tiles = tuple(-(-side // TILE_PX) for side in offset.shape)

    def of(self, frames: UInt16Array) -> Mask:
        """Say which tiles have light in any frame.

        Parameters
        ----------
        frames : (t, y, x) uint16
            ADU.

        Returns
        -------
        (tile row, tile column) bool
        """
        active = np.zeros(self.tiles, np.bool_)
        for frame in frames:
            counts = (frame - self._offset) * self._counts_per_adu
            for size, noise, twice in zip(WINDOWS_PX, self._noise, self._twice, strict=True):
                self._mark(active, uniform_filter(counts, size) * np.float32(size**2), noise, twice)
        return active

    def _mark(
        self, active: Mask, sums: NDArray[np.float32], noise: NDArray[np.float32], twice: NDArray[np.float32]
    ) -> None:
        """Mark the tiles around sums that stand out."""
        height, width = sums.shape
        level = self._level(sums)
        above = sums - level
        hits = np.argwhere(above * above > THRESHOLD**2 * twice * (np.maximum(level, 0) + noise))
        hits = hits[above[hits[:, 0], hits[:, 1]] > 0]
        for down in (-MARGIN_PX, MARGIN_PX):
            for right in (-MARGIN_PX, MARGIN_PX):
                y = np.clip(hits[:, 0] + down, 0, height - 1) // TILE_PX
                x = np.clip(hits[:, 1] + right, 0, width - 1) // TILE_PX
                active[y, x] = True

    def _level(self, sums: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the median of each tile, at each pixel."""
        (height, width), (rows, columns) = sums.shape, self.tiles
        over = ((0, rows * TILE_PX - height), (0, columns * TILE_PX - width))
        whole = np.pad(sums, over, mode="symmetric")
        tiles = whole.reshape(rows, TILE_PX, columns, TILE_PX)[:, ::EVERY_PX, :, ::EVERY_PX]
        medians: NDArray[np.float32] = np.median(tiles, axis=(1, 3)).astype(np.float32)
        return np.repeat(np.repeat(medians, TILE_PX, 0), TILE_PX, 1)[:height, :width]


def _twice(side_px: int, size: int) -> NDArray[np.float32]:
    """Return how much larger the variance of a sum is near the edges, where pixels stand in for those beyond."""
    weights = uniform_filter1d(np.eye(side_px), size, axis=0) * size
    factors: NDArray[np.float32] = ((weights**2).sum(1) / size).astype(np.float32)
    return factors
