"""Two pictures of the sample, each from its own blocks of time, for the Fourier ring correlation.

    frames      0 .. L/2    L/2 .. 3L/2    3L/2 .. 5L/2   ...
    half           0             1              0

Decision: blocks take turns, the first is half as long. Context: a molecule stays on for some frames, and localizations
of one blink in both halves would agree to their precision, whatever the sample is; while molecules bleach, later blocks
have less. Consequence: both halves get the same of a steady change. The first twentieth of each block goes to neither,
so that a blink which goes on from the block before is not in both.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from stream.quality.region import Region, cell_px, densest, lit_in_most, places, whole_field
from stream.quality.settings import ResolutionSettings

SETTLE_ROWS = 2_000_000
"""Localizations of a large field after which its region stands; they are kept until then."""

Float32Array = NDArray[np.float32]
UInt32Array = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Halves:
    """The two pictures.

    Parameters
    ----------
    counts : (2, y, x) uint32
        Localizations in each pixel.
    region : Region
        Where they lie in the field.
    beads : int
        Places that were taken out, since they are lit in most frames.
    """

    counts: UInt32Array
    region: Region
    beads: int

    @property
    def rows(self) -> tuple[int, int]:
        """Localizations in each half."""
        one, other = self.counts.sum(axis=(1, 2), dtype=np.int64).tolist()
        return one, other


@dataclass(frozen=True, slots=True)
class _Rows:
    half: NDArray[np.uint8]
    x_nm: Float32Array
    y_nm: Float32Array


class HalfImages:
    """Sorts localizations into halves and counts them in pixels.

    Parameters
    ----------
    height_nm, width_nm : float
        The field.
    settings : ResolutionSettings
    """

    def __init__(self, height_nm: float, width_nm: float, settings: ResolutionSettings) -> None:
        self._field_nm, self._block, self._pixel_nm = (height_nm, width_nm), settings.block_frames, settings.pixel_nm
        self._region = whole_field(height_nm, width_nm, settings.pixel_nm)
        self._counts = None if self._region is None else _blank(self._region)
        self._kept: list[_Rows] = []
        self._first: int | None = None
        self._last = -1

    @property
    def frames(self) -> int:
        """From the first to the last."""
        return 0 if self._first is None else self._last - self._first + 1

    @property
    def kept_rows(self) -> int:
        """Localizations that are kept one by one, until a region is chosen."""
        return sum(len(rows.half) for rows in self._kept)

    def add(self, frame: NDArray[np.int64], x_nm: Float32Array, y_nm: Float32Array) -> None:
        """Take localizations, (n,) each, in the order of their frames."""
        if not len(frame):
            return
        self._first = int(frame[0]) if self._first is None else self._first
        self._last = int(frame[-1])
        rows = self._sorted(frame, x_nm, y_nm)
        if self._counts is not None and self._region is not None:
            _count(self._counts, self._region, rows)
            return
        self._kept.append(rows)
        if self.kept_rows >= SETTLE_ROWS:
            self._region = self._choose()
            self._counts, self._kept = self._counted(self._region), []

    def halves(self) -> Halves | None:
        """Return both pictures without beads; None before the first localization."""
        if self._first is None:
            return None
        region = self._choose() if self._region is None else self._region
        counts = self._counted(region) if self._counts is None else self._counts
        return self._without_beads(counts, region)

    def _sorted(self, frame: NDArray[np.int64], x_nm: Float32Array, y_nm: Float32Array) -> _Rows:
        block, since = np.divmod(frame + self._block // 2, self._block)
        height_nm, width_nm = self._field_nm
        use = (since >= self._block // 20) | (block == 0)
        use &= (x_nm >= 0) & (x_nm < width_nm) & (y_nm >= 0) & (y_nm < height_nm)
        return _Rows((block[use] % 2).astype(np.uint8), x_nm[use], y_nm[use])

    def _choose(self) -> Region:
        """Return the densest part of what is kept."""
        cell = cell_px(self._pixel_nm)
        cell_nm = cell * self._pixel_nm
        height, width = (ceil(length / cell_nm) for length in self._field_nm)
        counts = np.zeros(height * width, np.int64)
        for rows in self._kept:
            place = (rows.y_nm // cell_nm).astype(np.intp) * width + (rows.x_nm // cell_nm).astype(np.intp)
            counts += np.bincount(place, minlength=len(counts))
        return densest(counts.reshape(height, width), cell, self._pixel_nm, self.frames)

    def _counted(self, region: Region) -> UInt32Array:
        counts = _blank(region)
        for rows in self._kept:
            _count(counts, region, rows)
        return counts

    def _without_beads(self, counts: UInt32Array, region: Region) -> Halves:
        cell = cell_px(self._pixel_nm)
        lit = lit_in_most(_in_cells(counts, cell), self.frames)
        if not lit.any():
            return Halves(counts, region, 0)
        pixels = np.repeat(np.repeat(lit, cell, 0), cell, 1)[: region.height, : region.width]
        return Halves(np.where(pixels, np.uint32(0), counts), region, places(lit))


def _blank(region: Region) -> UInt32Array:
    return np.zeros((2, region.height, region.width), np.uint32)


def _count(counts: UInt32Array, region: Region, rows: _Rows) -> None:
    """Count localizations in pixels, those outside the region in none."""
    row = np.floor(rows.y_nm / region.pixel_nm).astype(np.intp) - region.row
    column = np.floor(rows.x_nm / region.pixel_nm).astype(np.intp) - region.column
    inside = (row >= 0) & (row < region.height) & (column >= 0) & (column < region.width)
    np.add.at(counts, (rows.half[inside], row[inside], column[inside]), np.uint32(1))


def _in_cells(counts: UInt32Array, cell: int) -> NDArray[np.int64]:
    """Return localizations of both halves in cells, (y, x)."""
    both = counts.sum(axis=0, dtype=np.int64)
    rows, columns = (np.arange(0, length, cell) for length in both.shape)
    cells: NDArray[np.int64] = np.add.reduceat(np.add.reduceat(both, rows, 0), columns, 1)
    return cells
