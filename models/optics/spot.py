"""Spot protocol: the image of one emitter in a small window. Everything that draws or fits spots goes through it.

Coordinates: x to the right (columns) and y down (rows) from the centre of the window, z along the optical axis, away
from the coverslip, from the focal plane of the spot.
"""

from __future__ import annotations

from typing import Protocol

from models.optics.arrays import Array

Limits = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]


class Spot(Protocol):
    """Draws emitters, each in a window of its own."""

    @property
    def size_px(self) -> int:
        """Edge of the window; odd."""

    @property
    def pixel_size_nm(self) -> float:
        """Edge of a pixel, in the sample."""

    def __call__(self, position_nm: Array) -> Array:
        """Return (n, size_px, size_px): the share of all collected photons that falls on each pixel.

        Parameters
        ----------
        position_nm : (n, 3) float
            x, y, z. An infinite window would sum to 1.
        """


class DifferentiableSpot(Spot, Protocol):
    """A spot that knows how it changes, and how far it is known."""

    @property
    def limits_nm(self) -> Limits:
        """Lowest and highest x, y and z that it can be asked for."""

    def with_gradient(self, position_nm: Array) -> tuple[Array, Array]:
        """Return the images (n, y, x), and their derivatives by x, y and z per nm, (n, 3, y, x)."""
