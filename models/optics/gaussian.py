"""Pixel-integrated Gaussian spots (Smith et al. 2010, equation 4a), separable in x and y."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, pi, sqrt

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray
from scipy.special import ndtr

from models.optics.arrays import Array, constant_like, erf
from models.optics.spot import Limits


def profiles(
    centers_px: NDArray[np.floating], sigma_px: NDArray[np.floating] | float, length_px: int
) -> NDArray[np.float32]:
    """Return the share of a unit Gaussian that falls into each pixel of a row.

    Parameters
    ----------
    centers_px : (n,) float
        Centres in pixels; the outer edge of pixel 0 is at 0, its centre at 0.5.
    sigma_px : float or (n,) float
        Standard deviation in pixels.
    length_px : int
        Pixels in the row.

    Returns
    -------
    (n, length_px) float32
    """
    edges = np.arange(length_px + 1, dtype=np.float32)
    sigma = np.broadcast_to(np.asarray(sigma_px, np.float32), np.shape(centers_px))[:, None]
    below = ndtr((edges - np.asarray(centers_px, np.float32)[:, None]) / sigma)
    return np.asarray(np.diff(below, axis=1), np.float32)


Width = tuple[Array, Array]
"""A standard deviation in nm and its derivative by z, (n,) each."""


@dataclass(frozen=True, slots=True)
class Widths:
    """How the standard deviations of a spot depend on z.

    Parameters
    ----------
    at : callable
        z (n,) in nm -> width in x, width in y.
    z_nm : (float, float)
        Lowest and highest z.
    """

    at: Callable[[Array], tuple[Width, Width]]
    z_nm: tuple[float, float] = (-inf, inf)


def constant(sigma_nm: float) -> Widths:
    """Return the same width at every z."""

    def at(z: Array) -> tuple[Width, Width]:
        width = (0 * z + sigma_nm, 0 * z)
        return width, width

    return Widths(at)


def free() -> Widths:
    """Return the width that is asked for: the third coordinate is the standard deviation, so that a fit finds it."""

    def at(z: Array) -> tuple[Width, Width]:
        width = (z, 0 * z + 1)
        return width, width

    return Widths(at, (20.0, 2000.0))


def astigmatic(sigma_nm: float, focus_x_nm: float, focus_y_nm: float, depth_nm: float) -> Widths:
    """Return widths sigma sqrt(1 + ((z - focus) / depth)^2) with a focus for each axis (Huang et al. 2008)."""

    def curve(z: Array, focus_nm: float) -> Width:
        u = (z - focus_nm) / depth_nm
        root = array_namespace(z).sqrt(1 + u**2)
        return sigma_nm * root, sigma_nm * u / root / depth_nm

    def at(z: Array) -> tuple[Width, Width]:
        return curve(z, focus_x_nm), curve(z, focus_y_nm)

    return Widths(at)


class GaussianSpot:
    """Pixel-integrated Gaussian spots; satisfies `DifferentiableSpot`, for numpy and torch.

    Parameters
    ----------
    widths : Widths
        Standard deviations in x and y at a z; `constant`, `astigmatic` or `free`.
    pixel_size_nm : float
    size_px : int
        Edge of the window; odd.
    """

    def __init__(self, widths: Widths, pixel_size_nm: float, size_px: int = 13) -> None:
        self._widths, self.pixel_size_nm, self.size_px = widths, pixel_size_nm, size_px

    @property
    def limits_nm(self) -> Limits:
        """The window laterally; the z of the widths."""
        reach = self.size_px * self.pixel_size_nm / 2
        return (-reach, reach), (-reach, reach), self._widths.z_nm

    def __call__(self, position_nm: Array) -> Array:
        """Return (n, size_px, size_px), as `Spot` says."""
        (sigma_x, _), (sigma_y, _) = self._widths.at(position_nm[:, 2])
        columns, rows = self._row(position_nm[:, 0], sigma_x)[0], self._row(position_nm[:, 1], sigma_y)[0]
        return rows[:, :, None] * columns[:, None, :]

    def with_gradient(self, position_nm: Array) -> tuple[Array, Array]:
        """Return the images and their derivatives, as `DifferentiableSpot` says."""
        xp = array_namespace(position_nm)
        (sigma_x, slope_x), (sigma_y, slope_y) = self._widths.at(position_nm[:, 2])
        columns, columns_x, columns_s = self._row(position_nm[:, 0], sigma_x)
        rows, rows_y, rows_s = self._row(position_nm[:, 1], sigma_y)
        by_z = rows_s[:, :, None] * columns[:, None, :] * slope_y[:, None, None]
        by_z = by_z + rows[:, :, None] * columns_s[:, None, :] * slope_x[:, None, None]
        by_x, by_y = rows[:, :, None] * columns_x[:, None, :], rows_y[:, :, None] * columns[:, None, :]
        return rows[:, :, None] * columns[:, None, :], xp.stack((by_x, by_y, by_z), axis=1)

    def _row(self, center_nm: Array, sigma_nm: Array) -> tuple[Array, Array, Array]:
        """Return the share of each pixel of a row, (n, size), and its derivatives by centre and by width."""
        xp = array_namespace(center_nm)
        edges = constant_like((np.arange(self.size_px + 1) - self.size_px / 2) * self.pixel_size_nm, center_nm)
        u = (edges - center_nm[:, None]) / sigma_nm[:, None]
        below, density = erf(u / sqrt(2)) / 2, xp.exp(-(u**2) / 2) / sqrt(2 * pi) / sigma_nm[:, None]
        weighted = u * density
        return below[:, 1:] - below[:, :-1], density[:, :-1] - density[:, 1:], weighted[:, :-1] - weighted[:, 1:]
