"""A band of the sensor in two neighbouring frames: noise against level, single pixels, rows and columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.guard.camera import transfer_sums
from models.guard.camera.pixel_noise import PixelNoise
from models.guard.camera.transfer_sums import TransferSums

Float32 = NDArray[np.float32]
Mask = NDArray[np.bool_]
RATE = 1 / 8
"""Of the running mean of each pixel's level: it forgets within some batches, as background bleaches."""
LEAST_CELLS = 32
BELOW_SIGMA = 4.0
"""A count so many standard deviations of reading below the offset is rare even without light: 3 in 100,000."""
LOUD_SIGMA, LOUD_RATE = 4.0, 1 / 32
"""Behind an EM register a pixel is that loud more often than a Gaussian: twice in a row is no defect."""
STRIPE_CLIP = 9.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look at a band showed.

    Parameters
    ----------
    sums : TransferSums
    median : float
        Variance over the rig's prediction, by the median of the cells.
    below, pixels : int
        Counts far below the offset, of so many.
    rows, columns : (mean, error)
        Variance that rows and columns have in common, over what their pixels make by themselves, less 1; with its
        standard error.
    """

    sums: TransferSums
    median: float
    below: int
    pixels: int
    rows: tuple[float, float]
    columns: tuple[float, float]


class NoiseBand:
    """Remembers the level of its pixels, and which of them do what pixels do not.

    Parameters
    ----------
    noise : PixelNoise
        Of the band; sides are even.

    Attributes
    ----------
    level_adu : (y, x) float32
        Running mean above the offset, without molecules.
    known : (y/2, x/2) bool
        Cells that have one.
    unchanged : (y, x) uint16
        How many looks in a row showed the same count in both frames.
    looks : int
        So far.
    loud : (y, x) float32
        Share of recent looks in which a pixel changed by far more than its noise.
    """

    def __init__(self, noise: PixelNoise) -> None:
        self.noise, shape = noise, noise.offset_adu.shape
        self.level_adu, self.loud = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        self.looks, self.unchanged = 0, np.zeros(shape, np.uint16)
        self.known = np.zeros((shape[0] // 2, shape[1] // 2), np.bool_)
        self._floor = noise.offset_adu - BELOW_SIGMA * np.sqrt(noise.dark_adu2)

    def look(self, pair: NDArray[np.uint16], free: Mask, scale: float) -> Seen | None:
        """Look at two neighbouring frames; None where too few cells have been seen before.

        Parameters
        ----------
        pair : (2, y, x) uint16
            ADU.
        free : (y/2, x/2) bool
            Cells without molecules in both.
        scale : float
            Variance over the prediction as known by now; 0 if not.
        """
        first, second = pair.astype(np.float32)
        change, signal = second - first, (first + second) / 2 - self.noise.offset_adu
        usable, pixels_free = free & self.known, _pixels_of(free)
        seen = None
        if int(usable.sum()) >= LEAST_CELLS:
            sums, median = transfer_sums.look(change, signal, self.level_adu, self.noise, usable, scale)
            below = int((((first < self._floor) | (second < self._floor)) & (change != 0)).sum())
            seen = Seen(sums, median, below, change.size, *self._stripes(change, usable, scale or median))
            self._pixels(change, pixels_free, scale or median)
        self._remember(signal, free, pixels_free)
        self.looks += 1
        return seen

    def _remember(self, signal: Float32, free: Mask, pixels_free: Mask) -> None:
        if self.known.all():
            self.level_adu += np.float32(RATE) * pixels_free * (signal - self.level_adu)
        else:
            rate = np.where(_pixels_of(self.known), np.float32(RATE), np.float32(1))
            self.level_adu += rate * pixels_free * (signal - self.level_adu)
            self.known |= free

    def _pixels(self, change: Float32, pixels_free: Mask, scale: float) -> None:
        self.unchanged = np.where(change == 0, self.unchanged + np.uint16(1), np.uint16(0))
        loud = change**2 > 2 * LOUD_SIGMA**2 * scale * self.noise.variance_adu2(self.level_adu)
        self.loud += np.float32(LOUD_RATE) * pixels_free * (loud - self.loud)

    def _stripes(self, change: Float32, free: Mask, scale: float) -> tuple[tuple[float, float], tuple[float, float]]:
        """Compare neighbouring rows, and neighbouring columns: flicker of the light drops out."""
        variance = 2 * scale * transfer_sums.cells_of(self.noise.variance_adu2(self.level_adu)) * free
        down, right = change[0::2] - change[1::2], change[:, 0::2] - change[:, 1::2]
        rows = ((down[:, 0::2] + down[:, 1::2]) * free).sum(axis=1)
        columns = ((right[0::2] + right[1::2]) * free).sum(axis=0)
        return _excess(rows, variance.sum(axis=1)), _excess(columns, variance.sum(axis=0))


def _pixels_of(cells: Mask) -> Mask:
    """Return (y, x) of (y/2, x/2)."""
    return cells.repeat(2, axis=0).repeat(2, axis=1)


def _excess(common: Float32, variance: Float32) -> tuple[float, float]:
    there = variance > 0
    ratio = np.minimum(common[there] ** 2 / variance[there], STRIPE_CLIP)
    return float(ratio.mean()) - 1, float(np.sqrt(2 / len(ratio)))
