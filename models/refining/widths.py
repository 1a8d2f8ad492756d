"""In focus a spot is a Gaussian whose width is fitted: its third coordinate is the width."""

from __future__ import annotations

from models.optics.gaussian import GaussianSpot, free
from models.optics.spot import Spot
from models.refining.spline import SplineSpot, spline

WIDTHS_PX = (0.6, 3.5)
"""Standard deviations that a fit in focus may take."""
WIDTH_KNOT_PX = 0.15
WINDOW_PX = 13
SIZE_PX = 2 * WINDOW_PX + 1


def over_widths(spot: Spot, window_px: int = WINDOW_PX) -> SplineSpot:
    """Return the spline of a spot of `SIZE_PX` whose third coordinate is a width in nm."""
    pixel = spot.pixel_size_nm
    low, high = (width * pixel for width in WIDTHS_PX)
    return spline(spot, (low, high), window_px, WIDTH_KNOT_PX * pixel)


def gaussian_spline(pixel_size_nm: float, window_px: int = WINDOW_PX) -> SplineSpot:
    """Return Gaussian spots of any width."""
    return over_widths(GaussianSpot(free(), pixel_size_nm, SIZE_PX), window_px)
