"""How localizations of one time lie beside those of another: the histogram of all short differences, counted once.

Where a sample has moved, differences between localizations of the same place gather at the movement: the number of
pairs that meet is largest there. That maximum is looked for in a window, as in adaptive intersection maximization (Ma,
Chen, Nguyen & Liu, Science Advances 10, eadm7765 (2024)); here differences are counted on a fine grid and
smoothed with a Gaussian, so that the maximum has no grid of its own, and x, y and z are found together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

Points = NDArray[np.float32]
"""(n, 3) positions, nm: x, y, z."""
Counts = NDArray[np.float32]
"""(z, y, x) pairs per cell of differences."""

CELLS = (20, 40, 40)
"""Along z, y and x of the histogram of differences."""
PAIRS_AT_MOST = 5_000_000
"""Reference and block are thinned until no more are looked at: it bounds the time that a block takes."""
MOST_SQUARES = 2000
"""Along each side of the field."""

compiled = njit(cache=True, nogil=True, error_model="numpy")


@dataclass(frozen=True, slots=True)
class Bins:
    """Points, sorted into squares as wide as the search reaches.

    Parameters
    ----------
    points : (n, 3) float32
        nm, those of one square after another.
    block : (n,) int32
        Which block of frames each is from.
    start : (rows * columns + 1,) int64
        Where each square begins.
    columns : int
        Squares in a row.
    origin_nm : (float, float)
        Outer corner of the first square, x and y.
    side_nm : float
        Of a square.
    """

    points: Points
    block: NDArray[np.int32]
    start: NDArray[np.int64]
    columns: int
    origin_nm: tuple[float, float]
    side_nm: float


def binned(points: Points, block: NDArray[np.int32], side_nm: float) -> Bins:
    """Sort points, (n, 3) nm with n above 0, into squares.

    Parameters
    ----------
    points : (n, 3) float32
    block : (n,) int32
    side_nm : float
        Of a square; larger where a side of the field would have more than MOST_SQUARES of them.
    """
    x, y = points[:, 0].copy(), points[:, 1].copy()
    x0, y0 = float(x.min()), float(y.min())
    width_nm, height_nm = float(x.max()) - x0, float(y.max()) - y0
    side_nm = max(side_nm, (width_nm + side_nm) / MOST_SQUARES, (height_nm + side_nm) / MOST_SQUARES)
    column, row = (((values - low) / side_nm).astype(np.int64) for values, low in ((x, x0), (y, y0)))
    rows, columns = int(height_nm / side_nm) + 2, int(width_nm / side_nm) + 2
    square = row * columns + column
    start = np.concatenate(([0], np.cumsum(np.bincount(square, minlength=rows * columns))))
    order = _sorted(square, start)
    return Bins(points[order], block[order], start, columns, (x0, y0), side_nm)


def too_many(points: Points, bins: Bins) -> int:
    """Return how many times PAIRS_AT_MOST `differences` would look at, rounded up."""
    return -(-int(_pairs(points, bins.start, bins.columns, *bins.origin_nm, bins.side_nm)) // PAIRS_AT_MOST)


def differences(points: Points, bins: Bins, reach_nm: tuple[float, float], own: range = range(0)) -> Counts:
    """Count the differences between points and reference, in cells.

    Parameters
    ----------
    points : (n, 3) float32
        Positions, nm; where they are expected, so that differences are looked for around zero.
    bins : Bins
        The reference, in squares no smaller than the reach.
    reach_nm : (float, float)
        Differences counted are between minus and plus this, in x and y, and in z; 0 in z is a sample without depth.
    own : range
        Points of these blocks are no reference.

    Returns
    -------
    (z, y, x) float32
        CELLS; 1 along z for a sample without depth.
    """
    counts = np.zeros((CELLS[0] if reach_nm[1] else 1, *CELLS[1:]), np.float32)
    _count(
        points, bins.points, bins.block, own.start, own.stop, bins.start, bins.columns, *bins.origin_nm, bins.side_nm,
        reach_nm[0], reach_nm[1] or np.inf, counts,
    )  # fmt: skip
    return counts


@compiled
def _sorted(square, start):  # type: ignore[no-untyped-def]
    """Return the order that puts the points of one square after another."""
    order, fill = np.empty(len(square), np.int64), start.copy()
    for i in range(len(square)):
        order[fill[square[i]]] = i
        fill[square[i]] += 1
    return order


@compiled
def _span(x, y, start, columns, x0, y0, side, step):  # type: ignore[no-untyped-def]
    """Return the first and one past the last reference point in the three squares around x, in the row y + step."""
    rows = (len(start) - 1) // columns
    column, row = int(np.floor((x - x0) / side)), int(np.floor((y - y0) / side)) + step
    left, right = max(column - 1, 0), min(column + 1, columns - 1)
    if row < 0 or row >= rows or left > right:
        return 0, 0
    return start[row * columns + left], start[row * columns + right + 1]


@compiled
def _pairs(points, start, columns, x0, y0, side):  # type: ignore[no-untyped-def]
    total = 0
    for i in range(len(points)):
        for step in range(-1, 2):
            first, end = _span(points[i, 0], points[i, 1], start, columns, x0, y0, side, step)
            total += end - first
    return total


@compiled
def _count(points, reference, block, own, own_end, start, columns, x0, y0, side, reach, reach_z, counts):  # type: ignore[no-untyped-def]
    half = counts.shape[1] / 2
    depth = counts.shape[0]
    for i in range(len(points)):
        x, y, z = points[i]
        for step in range(-1, 2):
            first, end = _span(x, y, start, columns, x0, y0, side, step)
            for j in range(first, end):
                dx, dy, dz = x - reference[j, 0], y - reference[j, 1], z - reference[j, 2]
                if abs(dx) < reach and abs(dy) < reach and abs(dz) < reach_z and not own <= block[j] < own_end:
                    at_z = int((dz / reach_z + 1) * (depth / 2)) if depth > 1 else 0
                    at_y, at_x = int((dy / reach + 1) * half), int((dx / reach + 1) * half)
                    counts[min(at_z, depth - 1), min(at_y, 2 * int(half) - 1), min(at_x, 2 * int(half) - 1)] += 1
