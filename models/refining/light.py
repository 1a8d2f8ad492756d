"""The light of emitters in one frame, as a spline spot has it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.refining import windows
from models.refining.joint import window_corners
from models.refining.spline import EXTRA, SplineSpot


def light_of(
    spot: SplineSpot, position: NDArray[np.float64], photons: NDArray[np.float64], shape: tuple[int, int]
) -> NDArray[np.float32]:
    """Return the expected counts of emitters (y, x); what falls beside their windows is left out.

    Parameters
    ----------
    spot : SplineSpot
    position : (n, 3) float64
        x and y in pixels from the outer corner; third coordinate of the spot.
    photons : (n,) float64
        Counts.
    shape : (int, int)
        Rows and columns of the frame.
    """
    n, window = len(position), spot.window_px
    inside = np.column_stack((position[:, :2], np.clip(position[:, 2], *spot.z_nm)))
    rows, corner, frame = np.arange(n), window_corners(inside[:, :2], window), np.zeros(n, np.int64)
    images, light = np.zeros((n, 4, window, window + EXTRA), np.float32), np.zeros((1, *shape), np.float32)
    windows.draw(rows, spot.coefficients, spot.knot_nm, spot.z_nm[0], corner, inside, images)
    windows.shine(rows, frame, corner, np.tile(photons[:, None], 3), images, light)
    first: NDArray[np.float32] = light[0]
    return first
