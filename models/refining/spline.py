"""A spot as a cubic B-spline in x, y and z: the form that compiled fits evaluate.

Knots are half a pixel apart laterally, because spots are sharp, and about 50 nm axially. The coefficients are ordered
by even and odd knots, so that one sub-pixel shift reads all pixels of a row side by side.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.ndimage import spline_filter1d

from models.optics.low_rank import LowRankSpot
from models.optics.spot import Spot

REACH_PX = 1.5
"""An emitter may be so far off the centre of its window."""
EXTRA = 4
"""Knots in front of those of an emitter in the middle."""
KNOT_NM = 50.0
LIGHT = 0.9
"""A window holds this part of the light that falls on the spot's whole window, at the z where it holds least."""
END = 3
"""Knots added at either end of z while the coefficients are computed."""
SMALLEST_PX, LARGEST_PX = 13, 41
LEAST_SPOT_PX = SMALLEST_PX + 6
"""Edge of the smallest spots that a window can be cut from; odd."""


@dataclass(frozen=True, slots=True)
class SplineSpot:
    """Coefficients of a spot.

    Parameters
    ----------
    coefficients : (z, 2, 2, y, x) float32
        Axes: knot in z; even or odd knot in y, in x; pairs of knots.
    window_px : int
        Edge of the window; odd.
    pixel_size_nm : float
    z_nm : (float, float)
        Lowest and highest z.
    knot_nm : float
        Distance of knots in z.
    """

    coefficients: NDArray[np.float32]
    window_px: int
    pixel_size_nm: float
    z_nm: tuple[float, float]
    knot_nm: float

    def in_window(self, window_px: int) -> SplineSpot:
        """Return the spot in a window of another odd edge; where it was not known there is no light."""
        more = max(0, window_px - self.window_px) // 2
        less = max(0, self.window_px - window_px) // 2
        margin, inner = [(0, 0)] * 3 + [(more, more)] * 2, slice(less, self.coefficients.shape[-1] - less)
        around = np.pad(self.coefficients[..., inner, inner], margin)
        return replace(self, coefficients=np.ascontiguousarray(around), window_px=window_px)


def spline(spot: Spot, z_nm: tuple[float, float], window_px: int, knot_nm: float = KNOT_NM) -> SplineSpot:
    """Return the spline of a spot.

    Parameters
    ----------
    spot : Spot
        Its window should be at least five pixels larger than `window_px`; beyond it there is no light.
    z_nm : (float, float)
        The third coordinate that the spline is asked for.
    window_px : int
        Odd.
    knot_nm : float
        Largest distance of knots in the third coordinate.
    """
    count = max(5, ceil((z_nm[1] - z_nm[0]) / knot_nm) + 1)
    z, pixel = np.linspace(*z_nm, count), spot.pixel_size_nm
    side = window_px + EXTRA
    values = np.empty((count, 2, side, 2, side))
    for row in (0, 1):
        for column in (0, 1):
            position = np.column_stack((np.full(count, -column * pixel / 2), np.full(count, -row * pixel / 2), z))
            values[:, row, :, column] = _middle(np.asarray(spot(position), np.float64), side)
    knots = np.moveaxis(values, (2, 4), (1, 3)).reshape(count, 2 * side, 2 * side)
    step = z[1] - z[0]
    knots = CubicSpline(z, knots)(np.linspace(z[0] - END * step, z[-1] + END * step, count + 2 * END))
    for axis in range(3):
        knots = spline_filter1d(knots, 3, axis, mode="mirror")
    knots = knots[END - 1 : 1 - END]
    ordered = np.moveaxis(knots.reshape(count + 2, side, 2, side, 2), (2, 4), (1, 2))
    return SplineSpot(np.ascontiguousarray(ordered, np.float32), window_px, pixel, z_nm, float(step))


def spline_of(spot: LowRankSpot, largest_px: int = LARGEST_PX) -> SplineSpot:
    """Return the spline of a low-rank spot in a window that holds most of its light, if it may be as large."""
    return spline(spot, spot.z_range_nm, min(window_of(spot), largest_px))


def window_of(spot: LowRankSpot, share: float = LIGHT) -> int:
    """Return the edge of the smallest window that holds this share of a spot's light at every z; odd."""
    z = np.linspace(*spot.z_range_nm, 9)
    images = np.asarray(spot(np.column_stack((0 * z, 0 * z, z))))
    middle, total = spot.size_px // 2, images.sum((1, 2))
    for window in range(SMALLEST_PX, min(LARGEST_PX, spot.size_px - 5) + 1, 2):
        cut = slice(middle - window // 2, middle + window // 2 + 1)
        if (images[:, cut, cut].sum((1, 2)) >= share * total).all():
            break
    return window


def _middle(images: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """Cut (n, y, x) to `side` pixels from two and a half windows before the centre; zeros where there is no window."""
    center, before = images.shape[1] // 2, side // 2
    reach = max(0, before - center, before - 1 + side - images.shape[1] + center)
    images = np.pad(images, ((0, 0), (reach, reach), (reach, reach)))
    first = center + reach - before
    return images[:, first : first + side, first : first + side]
