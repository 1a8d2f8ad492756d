"""Whether localizations gather anywhere within a camera pixel; where they do, the localizer or its model is at fault.

A sample knows nothing of pixels: the part of a pixel at which a molecule lies is uniform. A localizer that pulls every
molecule by b sin(2 pi u) pixels, u its place in the pixel, makes a wave of relative height 2 pi b of it.

Decision: what is tested is not each localization but each part of the field. Context: a molecule that blinks a thousand
times is one place, not a thousand, and a test that takes each for itself cries wolf on every long run. Consequence: the
sums S_r = sum exp(2 pi i k u), k = 1 and 2, of the cells r of the field scatter about zero if all is well, and

    T^2 = S' (sum_r S_r S_r')^-1 S,    S = sum_r S_r

is as large as it is by chance: T^2 / R is beta distributed with 4 / 2 and (R - 4) / 2 for R cells that hold something.
A filament along an axis keeps its place in the pixel through many cells, so whole bands of cells must be uneven too.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, ceil, pi

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]

BINS = 20
FALSE_ALARM = 1e-5
"""How often, at most, an axis of sound data is called uneven, for each look."""
HARMLESS_PX = 0.01
"""A pull that is smaller is not told of, however sure it is; a nanometre with pixels of 100."""
HARMONICS = (1, 2)
SUMS = 2 * len(HARMONICS)
CELLS = 64
"""The field is divided into at most so many cells each way, of at least LEAST_CELL_PX pixels."""
LEAST_CELL_PX = 4
LEAST_CELLS = 16
"""With fewer that hold something, nothing is said; and fewer bands are not asked."""


@dataclass(frozen=True, slots=True)
class Axis:
    """What was found along one axis.

    Parameters
    ----------
    shares : (BINS,) float64
        Of the localizations, by their place in the pixel; sums to 1.
    p_value : float
        How often an even distribution looks as uneven.
    pull_px : float
        By how much, at most, positions are pulled.
    where : str
        To what, in words.
    """

    shares: Float64Array
    p_value: float
    pull_px: float
    where: str

    @property
    def flat(self) -> bool:
        """Whether nothing that matters was found."""
        return self.p_value > FALSE_ALARM or self.pull_px < HARMLESS_PX


class PixelPlaces:
    """Counts where in the camera's pixels localizations lie.

    Parameters
    ----------
    height_px, width_px : int
        Of the camera.
    pixel_size_nm : float
    """

    def __init__(self, height_px: int, width_px: int, pixel_size_nm: float) -> None:
        self._shape, self._pixel_nm = (height_px, width_px), pixel_size_nm
        self._cell_px = max(LEAST_CELL_PX, ceil(max(height_px, width_px) / CELLS))
        self._columns = ceil(width_px / self._cell_px)
        cells = ceil(height_px / self._cell_px) * self._columns
        self._bins = np.zeros((2, BINS), np.int64)
        self._sums = np.zeros((2, SUMS, cells))
        self._rows = np.zeros(cells, np.int64)

    def add(self, x_nm: Float32Array, y_nm: Float32Array) -> None:
        """Take localizations, (n,) each, as localized: not shifted for drift."""
        place = np.stack((x_nm, y_nm)).astype(np.float64) / self._pixel_nm
        inside = (place >= 0).all(0) & (place[0] < self._shape[1]) & (place[1] < self._shape[0])
        place = place[:, inside]
        column, row = (place // self._cell_px).astype(np.intp)
        cell, cells = row * self._columns + column, len(self._rows)
        self._rows += np.bincount(cell, minlength=cells)
        for axis, part in enumerate(place % 1):
            self._bins[axis] += np.bincount((part * BINS).astype(np.intp), minlength=BINS)[:BINS]
            for k, wave in enumerate(_waves(part)):
                self._sums[axis, k] += np.bincount(cell, wave, cells)

    @property
    def rows(self) -> int:
        """Localizations that were counted."""
        return int(self._rows.sum())

    def axes(self) -> tuple[Axis, Axis] | None:
        """Return what was found along x and y; None where too few cells hold something."""
        if (self._rows > 0).sum() < LEAST_CELLS:
            return None
        by_place = self._sums.reshape(2, SUMS, -1, self._columns)
        x = _axis(self._bins[0], self._sums[0], by_place[0].sum(axis=1))
        return x, _axis(self._bins[1], self._sums[1], by_place[1].sum(axis=2))


def _waves(part: Float64Array) -> list[Float64Array]:
    angles = [2 * pi * k * part for k in HARMONICS]
    return [wave(angle) for angle in angles for wave in (np.cos, np.sin)]


def _axis(bins: NDArray[np.int64], cells: Float64Array, bands: Float64Array) -> Axis:
    """Judge one axis.

    Parameters
    ----------
    bins : (BINS,) int64
    cells, bands : (SUMS, R) float64
        Of each cell, and of each band along the other axis: cosine and sine of each harmonic.
    """
    rows, total = bins.sum(), cells.sum(axis=1)
    p_value = max(_p_value(sums) for sums in (cells, bands))
    heights = 2 * np.hypot(total[::2], total[1::2]) / rows
    pulls = heights / (2 * pi * np.array(HARMONICS))
    k = int(pulls.argmax())
    return Axis(bins / rows, p_value, float(pulls[k]), _where(k, atan2(total[2 * k + 1], total[2 * k])))


def _p_value(sums: Float64Array) -> float:
    """Return how often the parts of an even field add up to so much; 0 of too few parts."""
    sums = sums[:, (sums != 0).any(axis=0)]
    parts, total = sums.shape[1], sums.sum(axis=1)
    if parts < LEAST_CELLS:
        return 0.0
    t2 = float(total @ np.linalg.lstsq(sums @ sums.T, total, rcond=None)[0])
    return float(betainc((parts - SUMS) / 2, SUMS / 2, max(0.0, 1 - t2 / parts)))


def _where(harmonic: int, phase: float) -> str:
    """Say where the wave has its crests; the centre of a pixel is at u = 0.5."""
    if harmonic == 1:
        return "pixel centres and borders" if abs(phase) < pi / 2 else "a quarter pixel from the centres"
    if abs(phase) > 3 * pi / 4:
        return "pixel centres"
    if abs(phase) < pi / 4:
        return "pixel borders"
    return "the right of pixel centres" if phase < 0 else "the left of pixel centres"
