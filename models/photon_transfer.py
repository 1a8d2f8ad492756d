"""Photon transfer: offset, read noise and gain of every pixel from series of frames in the dark and in even light.

The variance of a pixel grows with its mean: V = v0 + k (mean - offset), with k = 1/gain for a plain sensor and
k = 2 G/gain behind an EM register of gain G (Janesick, Photon Transfer, 2007; per pixel with many light levels: Huang
et al., Nat. Methods 10, 2013). What the lamp itself does, flicker and drift, is common to all pixels and is taken out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatMap = NDArray[np.float64]
CLIPPED_SHARE = 0.01
ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Series:
    """What photon transfer needs to know of a series of frames under constant light.

    Parameters
    ----------
    frames : int
    mean_adu, variance_adu2 : (y, x) float64
        Over time; the variance unbiased.
    highest_adu : (y, x) float64
        Largest count of each pixel.
    frame_mean_adu : (t,) float64
        Mean of each frame.
    """

    frames: int
    mean_adu: FloatMap
    variance_adu2: FloatMap
    highest_adu: FloatMap
    frame_mean_adu: NDArray[np.float64]

    def clipped(self, bit_depth: int = 16) -> NDArray[np.bool_]:
        """Return which pixels saturate, (y, x).

        Beside the converter's last count, a highest count that more than 1 % of the pixels share is a limit too:
        noise alone brings few pixels to the same extreme.
        """
        shared = self.highest_adu == self.highest_adu.max()
        many = shared.sum() > max(10, CLIPPED_SHARE * shared.size)
        return np.asarray((self.highest_adu >= 2**bit_depth - 1) | (shared & many))


def summarize(frames: Iterable[NDArray[np.uint16]]) -> Series:
    """Read a series once, in constant memory: exact sums of the differences to the first frame.

    Parameters
    ----------
    frames : iterable of (y, x) uint16
        At least two, of one shape.

    Raises
    ------
    ValueError
        Fewer than two frames, or frames of different shapes.
    """
    count, means = 0, []
    first = total = squares = highest = np.zeros((0, 0), np.int64)
    for frame in frames:
        pixels = frame.astype(np.int64)
        if count == 0:
            first, total, squares, highest = pixels, np.zeros_like(pixels), np.zeros_like(pixels), pixels
        if pixels.shape != first.shape:
            raise ValueError(f"frame {count} has shape (y, x) = {pixels.shape}, the frames before it {first.shape}")
        count, change = count + 1, pixels - first
        total, squares, highest = total + change, squares + change**2, np.maximum(highest, pixels)
        means.append(pixels.mean())
    if count < 2:
        raise ValueError(f"a series of {count} frames has no variance: record at least 2, better 200")
    variance = (squares - total.astype(float) ** 2 / count) / (count - 1)
    return Series(count, first + total / count, variance, highest.astype(float), np.array(means))


@dataclass(frozen=True, slots=True)
class Lamp:
    """How steady the light of a series was.

    Parameters
    ----------
    level_adu : float
        Mean above the dark.
    flicker : float
        Relative standard deviation from frame to frame, drift included.
    drift : float
        Relative change from the first frame to the last, of a straight line.
    share : float
        Part of the pixels' variance that the lamp makes.
    """

    level_adu: float
    flicker: float
    drift: float
    share: float


def lamp(series: Series, dark: Series) -> Lamp:
    """Measure flicker f and drift of the light.

    With shot noise alone the mean of n pixels has the variance mean(V)/n; all pixels together add (f level)^2.
    """
    signal = series.mean_adu - dark.mean_adu
    n, level = signal.size, float(signal.mean())
    own = series.variance_adu2.mean() / n
    common = (series.frame_mean_adu.var(ddof=1) - own) / max(level**2 - (signal**2).mean() / n, 1e-12 * level**2 + 1e-9)
    common = float(common) if n > 1 else 0.0
    slope = np.polyfit(np.arange(series.frames), series.frame_mean_adu, 1)[0]
    share = common * float((signal**2).mean()) / max(float(series.variance_adu2.mean()), 1e-12)
    return Lamp(level, float(np.sqrt(max(common, 0.0))), float(slope) * series.frames / level, max(share, 0.0))


@dataclass(frozen=True, slots=True)
class Transfer:
    """The fit of V = v0 + k (mean - offset) in every pixel, all (y, x) float64.

    Parameters
    ----------
    offset_adu, dark_variance_adu2 : (y, x)
        Of the dark series.
    slope_adu, slope_error_adu : (y, x)
        k, in ADU per electron behind the sensor (twice that behind an EM register), and its standard error.
    chi2_per_dof : (y, x)
        About 1 where the variance is a straight line in the mean; nan for one light level, which fits any line.
    lamps : tuple of Lamp
        One per light level.
    """

    offset_adu: FloatMap
    dark_variance_adu2: FloatMap
    slope_adu: FloatMap
    slope_error_adu: FloatMap
    chi2_per_dof: FloatMap
    lamps: tuple[Lamp, ...]


def fit(dark: Series, bright: Sequence[Series]) -> Transfer:
    """Fit a straight line through dark and light levels by weighted least squares, in each pixel.

    A variance from N frames has the variance 2 V^2/(N - 1); V is taken from the line itself, in a few rounds, since
    weights from the measured variances favour those that came out low.

    Raises
    ------
    ValueError
        No light level, another shape than the dark, or a level that is not brighter than it.
    """
    _check(dark, bright)
    lamps = tuple(lamp(series, dark) for series in bright)
    signal = np.stack([np.zeros_like(dark.mean_adu), *(series.mean_adu - dark.mean_adu for series in bright)])
    taken_out = np.array([0.0, *(light.flicker**2 for light in lamps)])[:, None, None] * signal**2
    variance = np.stack([series.variance_adu2 for series in (dark, *bright)]) - taken_out
    frames = np.array([series.frames for series in (dark, *bright)])[:, None, None]
    least = 1e-6 + variance.max(axis=0) * 1e-6
    line, a, b, error = np.maximum(variance, least), variance[0], variance[0], variance[0]
    for _ in range(ROUNDS):
        weight = (frames - 1) / (2 * line**2)
        a, b, error = _line(signal, variance, weight)
        line = np.maximum(a + b * signal, least)
    freedom = len(bright) - 1
    chi2 = ((variance - line) ** 2 * (frames - 1) / (2 * line**2)).sum(axis=0)
    quality = chi2 / freedom if freedom else np.full_like(chi2, np.nan)
    return Transfer(dark.mean_adu, dark.variance_adu2, b, error, quality, lamps)


def _line(x: FloatMap, y: FloatMap, weight: FloatMap) -> tuple[FloatMap, FloatMap, FloatMap]:
    """Return intercept, slope and the slope's standard error of weighted straight lines along axis 0."""
    total = weight.sum(axis=0)
    x0, y0 = (weight * x).sum(axis=0) / total, (weight * y).sum(axis=0) / total
    spread = np.maximum((weight * (x - x0) ** 2).sum(axis=0), 1e-30)
    slope = (weight * (x - x0) * (y - y0)).sum(axis=0) / spread
    return y0 - slope * x0, slope, 1 / np.sqrt(spread)


def _check(dark: Series, bright: Sequence[Series]) -> None:
    if not bright:
        raise ValueError("photon transfer needs at least one series in light: the dark alone has no gain")
    for number, series in enumerate(bright, start=1):
        if series.mean_adu.shape != dark.mean_adu.shape:
            raise ValueError(
                f"light level {number} has shape (y, x) = {series.mean_adu.shape}, the dark {dark.mean_adu.shape}: "
                "record both with the same region of interest"
            )
        level = float(np.median(series.mean_adu - dark.mean_adu))
        least = 5 * float(np.sqrt(np.median(dark.variance_adu2) / series.frames))
        if level <= least:
            raise ValueError(
                f"light level {number} lies {level:.4g} ADU above the dark, at least {least:.2g} are needed: "
                "check that dark and light are not exchanged, and that the lamp was on"
            )
