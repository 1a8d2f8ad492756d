"""Fourier ring correlation of two halves of the data: down to which detail they agree.

Nieuwenhuizen et al., Nature Methods 10, 557-562 (2013): counts in pixels, tapered at the border, transformed, and
correlated over rings of one spatial frequency q,

    FRC(q) = sum F1 F2* / sqrt(sum |F1|^2 sum |F2|^2)

The curve is smoothed by loess over a twentieth of it; the resolution is 1 / q where it first falls below 1/7. Here the
mean is taken away before: how bright the whole field is tells of no detail, and would leak into the first rings.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len, rfft2

from stream.quality.loess import loess

Float64Array = NDArray[np.float64]

THRESHOLD = 1 / 7
TAPERED = 1 / 8
"""Part of the side over which the picture fades to nothing, at each end."""
CLEAR = 5.0
"""What the halves have in common must be so many times as large as it could be by chance."""
LEAST_RINGS = 32
"""A picture that gives fewer is too small to be correlated."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A Fourier ring correlation.

    Parameters
    ----------
    frequency_per_nm : (n,) float64
        Of each ring, from 0 to that of two pixels.
    correlation, smooth : (n,) float64
        As computed, and smoothed.
    """

    frequency_per_nm: Float64Array
    correlation: Float64Array
    smooth: Float64Array

    @property
    def resolution_nm(self) -> float | None:
        """1 / q at the threshold, between rings by a straight line; None if it is not crossed, or by chance alone."""
        below = np.flatnonzero(self.smooth < THRESHOLD)
        if not len(below) or not self._is_clear(int(below[0])):
            return None
        k = int(below[0])
        before, after = self.smooth[k - 1], self.smooth[k]
        part = (before - THRESHOLD) / (before - after)
        q = self.frequency_per_nm[k - 1] + part * (self.frequency_per_nm[k] - self.frequency_per_nm[k - 1])
        return float(1 / q)

    def _is_clear(self, rings: int) -> bool:
        """Return whether the first rings agree more than noise, whose correlation varies by 1 / (2 pi k) in ring k."""
        frequencies = 2 * np.pi * np.arange(1, rings)
        return bool(frequencies @ self.correlation[1:rings] > CLEAR * np.sqrt(frequencies.sum()))

    @property
    def agrees_throughout(self) -> bool:
        """Whether the halves agree down to two pixels."""
        return not (self.smooth < THRESHOLD).any()

    def thinned(self, points: int) -> tuple[Float64Array, Float64Array]:
        """Return frequencies and smoothed correlation, means of neighbouring rings, at most `points` of each."""
        every = ceil(len(self.smooth) / points)
        starts = np.arange(0, len(self.smooth), every)
        sizes = np.diff([*starts, len(self.smooth)])
        frequency, smooth = (np.add.reduceat(a, starts) / sizes for a in (self.frequency_per_nm, self.smooth))
        return frequency, smooth


def correlate(one: NDArray[np.generic], other: NDArray[np.generic], pixel_nm: float) -> Curve | None:
    """Return the ring correlation of two pictures, (y, x) counts each; None if they are too small.

    Parameters
    ----------
    one, other : (y, x) array
        Localizations in each pixel, of one half of the data and of the other.
    pixel_nm : float
    """
    side = next_fast_len(max(one.shape), real=True)
    rings = side // 2 + 1
    if rings < LEAST_RINGS:
        return None
    ring = _ring_of(side)
    sums = _ring_sums(_spectrum(one, side), _spectrum(other, side), ring, rings)
    between, first, second = sums
    correlation = between / np.sqrt(np.maximum(first * second, np.finfo(float).tiny))
    correlation[0] = 1.0  # of the mean, which was taken away
    frequency = np.arange(rings) / (side * pixel_nm)
    return Curve(frequency, correlation, loess(correlation, max(5, ceil(rings / 20) // 2 * 2 + 1)))


def _spectrum(picture: NDArray[np.generic], side: int) -> NDArray[np.complex64]:
    """Return the transform of the tapered picture in a square of `side`, (side, side // 2 + 1)."""
    plain = picture.astype(np.float32)
    tapered = (plain - plain.mean()) * np.outer(_taper(len(plain)), _taper(plain.shape[1])).astype(np.float32)
    spectrum: NDArray[np.complex64] = rfft2(tapered, (side, side), overwrite_x=True)
    return spectrum


def _taper(length: int) -> Float64Array:
    """Return a Tukey window: 1, and half a cosine at either end."""
    to_end = (np.minimum(np.arange(length), np.arange(length)[::-1]) + 0.5) / (TAPERED * length)
    return 0.5 - 0.5 * np.cos(np.pi * np.minimum(to_end, 1))


def _ring_of(side: int) -> NDArray[np.intp]:
    """Return to which ring each frequency of half a plane belongs, (side, side // 2 + 1)."""
    ky = np.fft.fftfreq(side, 1 / side).astype(np.float32)
    kx = np.arange(side // 2 + 1, dtype=np.float32)
    return np.rint(np.hypot(ky[:, None], kx)).astype(np.intp)


def _ring_sums(
    one: NDArray[np.complex64], other: NDArray[np.complex64], ring: NDArray[np.intp], rings: int
) -> list[Float64Array]:
    """Return sums over rings of the whole plane: of F1 F2*, |F1|^2 and |F2|^2, (rings,) each."""
    products = (
        one.real * other.real + one.imag * other.imag,
        one.real**2 + one.imag**2,
        other.real**2 + other.imag**2,
    )
    for product in products:
        product[:, 0] /= 2  # all other columns stand for two of the whole plane
    return [np.bincount(ring.ravel(), product.ravel(), rings)[:rings].astype(np.float64) for product in products]
