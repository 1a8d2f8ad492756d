"""Where single beads are in a stack, and why others are left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Float64 = NDArray[np.float64]
CONTRAST = 6.0
"""A bead stands out of the smoothed projection by so many of its standard deviations."""
CERTAIN = 20.0
"""Its light is so many times the shot noise of its window: a pupil cannot be told from less."""
DIM = 0.1
"""What has less than this part of the light of the median bead is no bead, and no neighbour either."""
BRIGHT = 2.5
"""What has more than this many times the light of the median bead is several of them."""


@dataclass(frozen=True, slots=True)
class Found:
    """Beads of a stack.

    Parameters
    ----------
    row, column : int
        Pixel that the window is centred on.
    light : float
        Sum over window and slices, the background taken off.
    why_not : str
        Why it is not used; empty if it is.
    """

    row: int
    column: int
    light: float
    why_not: str = ""


def find(counts: Float64, window_px: int, saturated: NDArray[np.bool_] | None = None) -> list[Found]:
    """Return all beads of a stack, the brightest first.

    A spot may have several lobes, and others in other slices: beads are the peaks of the mean over all slices,
    smoothed by a quarter of the window.

    Parameters
    ----------
    counts : (z, y, x) float
        Photo-electrons.
    window_px : int
        Edge of the window that a bead's light lies in; odd.
    saturated : (z, y, x) bool or None

    Raises
    ------
    ValueError
        The window is larger than the frames.
    """
    _, height, width = counts.shape
    if window_px > min(height, width):
        raise ValueError(f"a window of {window_px} pixels does not fit into frames of {height} x {width}")
    level = np.median(counts, axis=(1, 2), keepdims=True)
    projection = ndimage.gaussian_filter((counts - level).mean(0), window_px / 8, mode="nearest")
    peaks = projection == ndimage.maximum_filter(projection, size=window_px // 2 | 1)
    spread = 1.4826 * np.median(np.abs(projection - np.median(projection)))
    rows, columns = np.nonzero(peaks & (projection > np.median(projection) + CONTRAST * spread))
    reach = window_px // 2
    places = np.column_stack((rows, columns))
    sums = np.array([_sums(counts, level, row, column, reach) for row, column in places.tolist()]).reshape(-1, 2)
    certain = sums[:, 0] > CERTAIN * np.sqrt(np.maximum(sums[:, 1], 1.0))
    places, light = places[certain], sums[certain, 0]
    usual = float(np.median(light)) if len(light) else 0.0
    order = [k for k in np.argsort(-light).tolist() if light[k] > DIM * usual]
    places, light = places[order], light[order]
    result = []
    for at, total in zip(places.tolist(), light.tolist(), strict=True):
        why_not = _why_not(at, total / usual, places, reach, counts.shape, saturated)
        result.append(Found(at[0], at[1], total, why_not))
    return result


def _sums(counts: Float64, level: Float64, row: int, column: int, reach: int) -> tuple[float, float]:
    """Return the light of a window, the background taken off, and all of its counts."""
    top, left = max(row - reach, 0), max(column - reach, 0)
    window = counts[:, top : row + reach + 1, left : column + reach + 1]
    return float((window - level).sum()), float(window.sum())


def _why_not(
    at: list[int], brightness: float, places: NDArray[np.int64], reach: int, shape: tuple[int, ...],
    saturated: NDArray[np.bool_] | None,
) -> str:  # fmt: skip
    row, column = at
    if min(row, column, shape[1] - 1 - row, shape[2] - 1 - column) < reach:
        return "the window reaches over the edge"
    others = places[(places != at).any(1)]
    near = np.abs(others - at).max(1) <= 2 * reach
    if near.any():
        return f"another bead {np.hypot(*(others[near] - at).T).min():.0f} pixels away"
    if brightness > BRIGHT:
        return f"{brightness:.1f} times as bright as the median: several beads in one place"
    if saturated is not None:
        window = saturated[:, row - reach : row + reach + 1, column - reach : column + reach + 1]
        if window.any():
            return f"{int(window.sum())} saturated pixels"
    return ""
