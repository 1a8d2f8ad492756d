"""The light of spots in camera frames; where the sample drifts, they are looked for where they are by now."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from models.bleaching.photometry import Filters, filters
from models.camera import Camera
from models.optics.spot import Spot

Float64 = NDArray[np.float64]
Drift = Callable[[NDArray[np.int64]], Float64]
"""Frames (k,) -> how far the sample has moved, (k, 3) nm."""
MOVED_PX = 0.1
"""Filters are made anew when the sample has moved so far."""


class Photometer:
    """Measures the spots that it is aimed at.

    Parameters
    ----------
    spot_for : callable
        Places of the spots (n, 3) nm, the mean of the first frames (y, x) photo-electrons -> what they look like.
    camera : Camera
    pixel_size_nm : float
    drift : callable or None
        Where the run corrects drift.
    """

    def __init__(
        self, spot_for: Callable[[Float64, Float64], Spot], camera: Camera, pixel_size_nm: float, drift: Drift | None
    ) -> None:
        self.pixel_size_nm = pixel_size_nm
        self._spot_for, self._camera, self._drift = spot_for, camera, drift

    def aim(self, position_nm: Float64, pixels: NDArray[np.uint16]) -> None:
        """Measure spots at (n, 3) nm from now on; `pixels` (t, y, x) are the frames in which they were found."""
        mean = self._camera.photo_electrons(pixels.mean(0, dtype=np.float32))
        self._position_nm, self._mean = position_nm, np.asarray(mean, np.float64)
        self._spot = self._spot_for(position_nm, self._mean)
        self._move(np.zeros(3))

    def measure(self, pixels: NDArray[np.uint16], index: NDArray[np.int64]) -> tuple[Float64, Float64]:
        """Return light and its variance, (t, n) photo-electrons per frame, in frames (t, y, x) of these indices."""
        if self._drift is not None and len(index):
            moved = self._drift(index).mean(0)
            if np.abs(moved - self._moved_nm).max() > MOVED_PX * self.pixel_size_nm:
                self._move(moved)
        counts, camera = self._camera.photo_electrons(pixels), self._camera
        return self._filters.measure(counts, camera.variance_e2, camera.excess)

    def _move(self, moved_nm: Float64) -> None:
        """Make the filters for a sample that has moved."""
        self._moved_nm = moved_nm
        self._filters: Filters = filters(self._spot, self._position_nm + moved_nm, self._mean, self._camera)
