"""Photon transfer from running data: sums that say how the noise grows with the level, without knowing either exactly.

The noise is that of cells of 2 x 2 pixels in two neighbouring frames: D = d00 - d01 - d10 + d11 with d the change of a
pixel. A flickering laser, bleaching and the smooth light of what is out of focus drop out of D, what a sensor has as a
pattern too; its law is near a Gaussian even behind an EM register. D^2/2 has the mean

    a V0 + b K s - c K,    V0 = sum v0,  K s = sum k (level - offset),  K = sum k

over the cell with a = b = 1, c = 0 if the rig is right. The level in the two frames is noisy, and its noise goes with
that of D^2, so a straight line through both would be biased. Sums are therefore weighted by the level of earlier
frames (an instrumental variable; Reiersol 1941), which knows nothing of the present noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from models.guard.camera.pixel_noise import PixelNoise

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
TRIM = 3.0
"""Cells beyond so many standard deviations are left out: molecules that switch and were not found."""
HEAVIEST = 0.4
"""Excess kurtosis of D beyond which a trim of a Gaussian is not known to 2 %: below 2 electrons behind a register."""
MEDIAN_CHI2 = 0.4549
"""Median of a squared standard Gaussian."""
AS_STATED = np.array([1.0, 1.0, 0.0])
"""a, b, c of a rig that is right."""


def _moments() -> tuple[Float64, Float64]:
    """Return integrals of z^n, n = 0, 2, 4, and of z^n (z^4 - 6 z^2 + 3), n = 0, 2, of a Gaussian within the trim."""
    inside = [float(2 * norm.cdf(TRIM) - 1)]
    for n in (2, 4, 6):  # by parts
        inside.append((n - 1) * inside[-1] - 2 * TRIM ** (n - 1) * float(norm.pdf(TRIM)))
    m0, m2, m4, m6 = inside
    return np.array([m0, m2, m4]), np.array([m4 - 6 * m2 + 3 * m0, m6 - 6 * m4 + 3 * m2])


_INSIDE, _FOURTH = _moments()
_SPREAD = float((_INSIDE[2] / _INSIDE[0]) / (_INSIDE[1] / _INSIDE[0]) ** 2 - 1)
"""Variance of a trimmed square over its squared mean; 2 without a trim."""


@dataclass(frozen=True, slots=True)
class TransferSums:
    """Sums over cells; those of several looks add up.

    Parameters
    ----------
    design : (3, 3) float64
        Weighted products of earlier and present V0, K s, K.
    noise : (3,) float64
        Weighted products of the earlier ones and D^2/2.
    covariance : (3, 3) float64
        Of `noise`, if the rig is right.
    cells : int
    """

    design: Float64
    noise: Float64
    covariance: Float64
    cells: int

    def __add__(self, other: Self) -> TransferSums:
        return TransferSums(
            self.design + other.design, self.noise + other.noise, self.covariance + other.covariance,
            self.cells + other.cells,
        )  # fmt: skip

    def ratio(self) -> tuple[float, float]:
        """Return the noise's variance over what the rig predicts, less 1, and its standard error."""
        return self._along(AS_STATED, AS_STATED)

    def slope(self) -> tuple[float, float]:
        """Return the slope over the rig's, less 1, whatever the intercept is, and its standard error.

        By the score that knows nothing of the intercept: its mean is zero however little the level varies.
        """
        q = np.array([-self.covariance[0, 1] / self.covariance[0, 0], 1.0, 0.0])
        return self._along(q, np.array([0.0, 1.0, 0.0]))

    def _along(self, q: Float64, direction: Float64) -> tuple[float, float]:
        score, strength = q @ (self.noise - self.design @ AS_STATED), q @ self.design @ direction
        error = float(np.sqrt(max(float(q @ self.covariance @ q), 0.0)))
        if strength <= 1e-6 * error or error == 0:
            return 0.0, np.inf
        return float(score / strength), error / float(strength)


def cells_of(pixels: Float32) -> Float32:
    """Return sums over cells, (y/2, x/2), of (y, x) with even sides."""
    rows = pixels[0::2] + pixels[1::2]
    return np.asarray(rows[:, 0::2] + rows[:, 1::2])


def alternating(pixels: Float32) -> Float32:
    """Return D of each cell, (y/2, x/2)."""
    rows = pixels[0::2] - pixels[1::2]
    return np.asarray(rows[:, 0::2] - rows[:, 1::2])


def look(
    change_adu: Float32,
    signal_adu: Float32,
    earlier_adu: Float32,
    noise: PixelNoise,
    free: NDArray[np.bool_],
    scale: float,
) -> tuple[TransferSums, float]:
    """Sum over the cells of two neighbouring frames.

    Parameters
    ----------
    change_adu, signal_adu : (y, x)
        Difference and mean of the two frames, the mean above the offset.
    earlier_adu : (y, x)
        Level above the offset in earlier frames.
    noise : PixelNoise
        Of these pixels.
    free : (y/2, x/2) bool
        Cells to use.
    scale : float
        Variance over the prediction as known by now: what is trimmed goes by it; 0 if nothing is known.

    Returns
    -------
    TransferSums
    float
        Variance over the prediction by the median of all cells, which nothing trims.
    """
    dark, slope = cells_of(noise.dark_adu2)[free], cells_of(noise.slope_adu)[free]
    before = np.stack([dark, cells_of(noise.slope_adu * earlier_adu)[free], slope])
    now = np.stack([dark, cells_of(noise.slope_adu * signal_adu)[free], slope])
    predicted = np.maximum(before[0] + before[1], before[0] / 4)
    square = alternating(change_adu)[free] ** 2 / 2
    median = float(np.median(square / predicted)) / MEDIAN_CHI2
    kept = square < (TRIM**2 * (scale or median)) * predicted
    # The mean slope of a cell's pixels: a kurtosis is small, so its pixels may be taken as alike.
    light = np.maximum(before[1], before[0])  # a level that is near zero by chance makes no law a Gaussian
    kurtosis = noise.fourth * (slope / 4) ** 2 * light / (2 * (before[0] + light) ** 2)
    kept &= kurtosis < HEAVIEST
    mean = (_INSIDE[1] + kurtosis / 24 * _FOURTH[1]) / (_INSIDE[0] + kurtosis / 24 * _FOURTH[0])
    weighted = before * (kept / (_SPREAD * predicted**2))
    sums = TransferSums(
        np.asarray(weighted @ now.T, np.float64), np.asarray(weighted @ (square / mean), np.float64),
        np.asarray(weighted @ before.T, np.float64), int(kept.sum()),
    )  # fmt: skip
    return sums, median
