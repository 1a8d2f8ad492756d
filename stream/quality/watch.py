"""Everything that is measured of the picture, from localizations as they come; its memory does not grow with them.

watch = Watch(field, settings)
watch.take(rows)         # in the order of frames, any number of times
watch.estimate()         # header of the topic `resolution`
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream.quality import verdict
from stream.quality.frc import Curve, correlate
from stream.quality.half_images import HalfImages
from stream.quality.nena import NearestDistances
from stream.quality.settings import ResolutionSettings
from stream.quality.subpixel import PixelPlaces

LEAST_ROWS = 500
"""In each half; with fewer no resolution is stated."""
APART_FRAMES = 3
"""The localizer looks at three frames, so do fits behind it: frames that are compared for NeNA share none."""
POINTS = 200
"""Of the curve that is published, at most."""

Float32Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Field:
    """The camera's field: pixels, and the size of one in the sample."""

    height_px: int
    width_px: int
    pixel_size_nm: float


@dataclass(frozen=True, slots=True)
class Rows:
    """Localizations in the order of their frames, (n,) each.

    Parameters
    ----------
    frame : int64
    x_nm, y_nm : float32
        As localized.
    still_x_nm, still_y_nm : float32
        Corrected for drift; the same arrays where it is not known.
    """

    frame: NDArray[np.int64]
    x_nm: Float32Array
    y_nm: Float32Array
    still_x_nm: Float32Array
    still_y_nm: Float32Array


class Watch:
    """Takes localizations and says how good their picture is.

    Parameters
    ----------
    field : Field
    settings : ResolutionSettings
    """

    def __init__(self, field: Field, settings: ResolutionSettings) -> None:
        size = field.pixel_size_nm
        self._settings, self._size_nm = settings, size
        self._halves = HalfImages(field.height_px * size, field.width_px * size, settings)
        self._distances, self._places = (
            NearestDistances(size, APART_FRAMES),
            PixelPlaces(field.height_px, field.width_px, size),
        )
        self._rows, self._frame = 0, -1

    def take(self, rows: Rows) -> None:
        """Count localizations."""
        if not len(rows.frame):
            return
        self._rows, self._frame = self._rows + len(rows.frame), int(rows.frame[-1])
        self._halves.add(rows.frame, rows.still_x_nm, rows.still_y_nm)
        self._distances.add(rows.frame, rows.x_nm, rows.y_nm)
        self._places.add(rows.x_nm, rows.y_nm)

    def estimate(self) -> dict[str, Any]:
        """Return the header of the topic `resolution`; None where something is not known."""
        precision_nm = self._distances.precision_nm()
        return {
            "frame": self._frame, "localizations": self._rows, **self._resolution(),
            "nena_nm": None if precision_nm is None else round(precision_nm, 3),
            "subpixel": verdict.of_places(self._places.axes(), self._size_nm),
        }  # fmt: skip

    def _resolution(self) -> dict[str, Any]:
        halves, curve = self._halves.halves(), None
        if halves is not None and min(halves.rows) >= LEAST_ROWS:
            curve = correlate(halves.counts[0], halves.counts[1], halves.region.pixel_nm)
        found = None if curve is None else curve.resolution_nm
        return {
            "frc_nm": None if found is None else round(found, 2),
            "frc_caveat": verdict.of_resolution(halves, curve, LEAST_ROWS, self._settings),
            "frc_curve": None if curve is None else _curve(curve),
        }  # fmt: skip


def _curve(curve: Curve) -> dict[str, list[float]]:
    frequency, correlation = curve.thinned(POINTS)
    return {
        "frequency_per_um": np.round(1000 * frequency, 4).tolist(), "correlation": np.round(correlation, 4).tolist()
    }  # fmt: skip
