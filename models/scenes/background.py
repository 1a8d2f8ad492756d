"""Light that is not from single emitters: structured (Perlin) background, and haze of the structure out of focus.

Perlin noise: random gradients on a grid, faded between its nodes by t^3 (6 t^2 - 15 t + 10) (Perlin, SIGGRAPH 2002). A
grid of a stated period gives structure of about that period and hardly any finer than half of it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Float32 = NDArray[np.float32]


def perlin(shape: tuple[int, int], period_px: float, rng: np.random.Generator) -> Float32:
    """Return gradient noise (y, x) of one period, mean about 0, between -1 and 1.

    Raises
    ------
    ValueError
        A period below two pixels, which pixels cannot show.
    """
    if period_px < 2:
        raise ValueError(f"period_px = {period_px:g}: must be at least 2, pixels show nothing finer")
    nodes = [int(np.ceil(side / period_px)) + 2 for side in shape]
    angle = rng.uniform(0, 2 * np.pi, nodes)
    offset = rng.uniform(0, 1, 2)
    (iy, ty), (ix, tx) = (_cells(side, period_px, shift) for side, shift in zip(shape, offset, strict=True))
    total = np.zeros(shape)
    for down in (0, 1):
        for right in (0, 1):
            direction = angle[np.ix_(iy + down, ix + right)]
            y, x = ty[:, None] - down, tx[None, :] - right
            weight = _fade(1 - np.abs(y)) * _fade(1 - np.abs(x))
            total += weight * (np.cos(direction) * x + np.sin(direction) * y)
    return np.asarray(total * np.sqrt(2), np.float32)


def structured(
    shape: tuple[int, int], level: float, contrast: float, periods_px: tuple[float, ...], rng: np.random.Generator
) -> Float32:
    """Return background (y, x): a level times one plus Perlin noise of several periods; not negative.

    Parameters
    ----------
    shape : (y, x)
    level : float
        Mean photons per pixel.
    contrast : float
        Standard deviation of the noise relative to the level, about.
    periods_px : tuple of float
        Spatial periods.
    """
    if not contrast or not periods_px:
        return np.full(shape, level, np.float32)
    weights = rng.uniform(0.2, 1, len(periods_px))
    noise = sum(w * perlin(shape, period, rng) for w, period in zip(weights, periods_px, strict=True))
    noise = np.asarray(noise) / max(float(np.std(noise)), 1e-6)
    return np.asarray(np.clip(level * (1 + contrast * noise), 0, None), np.float32)


def haze(positions_px: NDArray[np.float64], shape: tuple[int, int], level: float, blur_px: float) -> Float32:
    """Return the glow of a structure far out of focus (y, x): its density, blurred, with a mean of `level`.

    Parameters
    ----------
    positions_px : (n, 2) float
        x, y of the emitters.
    """
    height, width = shape
    density, _, _ = np.histogram2d(positions_px[:, 1], positions_px[:, 0], bins=shape, range=((0, height), (0, width)))
    blurred = gaussian_filter(density, blur_px, mode="nearest")
    return np.asarray(level * blurred / max(float(blurred.mean()), 1e-12), np.float32)


def _cells(side: int, period_px: float, shift: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the cell of each pixel along one axis, and where in the cell it is."""
    place = (np.arange(side) + 0.5) / period_px + shift
    cell = np.floor(place).astype(np.int64)
    return cell, place - cell


def _fade(t: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(t**3 * (t * (6 * t - 15) + 10))
