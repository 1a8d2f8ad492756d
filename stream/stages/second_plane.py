"""The second plane of focus on the same camera: where a molecule's image lies there, and whether it is alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from models.backgrounds.crops import corners
from models.refining.neighbours import APART

Float64 = NDArray[np.float64]
OWN_PX = 3.0
"""A candidate within this distance of where the image is expected is that image, which the localizer sees too."""


class SecondPlane:
    """Beside the first one.

    Parameters
    ----------
    shift_px : (float, float)
        From a molecule's image in the first plane to that in the second, x and y.
    """

    def __init__(self, shift_px: tuple[float, float]) -> None:
        self._shift = np.array(shift_px)

    def corners(self, xy_px: Float64, side_px: int) -> NDArray[np.int64]:
        """Return row and column (n, 2) of the first pixel of crops of the second plane around x, y (n, 2)."""
        return corners(xy_px + self._shift, side_px)

    def alone(self, frame: NDArray[np.int64], xy_px: Float64, side_px: int) -> NDArray[np.bool_]:
        """Return where no other candidate of the same frame is within half a crop of the second image, (n,)."""
        if not len(frame):
            return np.ones(0, bool)
        tree = cKDTree(np.column_stack((xy_px, frame * APART)))
        there = np.column_stack((xy_px + self._shift, frame * APART))
        nearest, next_one = np.asarray(tree.query(there, k=2, distance_upper_bound=APART / 2)[0]).T
        return np.asarray(np.where(nearest <= OWN_PX, next_one, nearest) > side_px / 2)
