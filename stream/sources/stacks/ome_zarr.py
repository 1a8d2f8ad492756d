"""OME-Zarr images 0.4 and 0.5 (https://ngff.openmicroscopy.org), ours from the recorder and those of other programs.

Accepted: axes t, y, x, and any others of length 1. Ours bring the index and the camera's time of each frame in arrays
beside the image (`stream/acquisition/ome_zarr.py`).
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from stream.errors import FrameFormatError
from stream.frame import Frame
from stream.sources.stacks.stack import StackDetails, camera_counts, check_dtype
from stream.sources.stacks.zarr_chunks import fault_in_chunks

UNIT_NM = {"nanometer": 1.0, "micrometer": 1e3, "millimeter": 1e6}
UNIT_S = {"second": 1.0, "millisecond": 1e-3, "microsecond": 1e-6}
KEPT = "accepted: an OME-Zarr image 0.4 or 0.5 with axes t, y and x, and any others of length 1"


@dataclass(frozen=True, slots=True)
class Image:
    """The full-resolution level of a multiscale image.

    Parameters
    ----------
    folder : Path
        Of the array.
    array : Array
        Axes as in `axes`.
    axes : sequence of str
    interval_s, pixel_size_nm : float
        Of the axes t and y; nan where the image states no unit.
    """

    folder: Path
    array: zarr.Array[Any]
    axes: Sequence[str]
    interval_s: float
    pixel_size_nm: float


class OmeZarrStack:
    """Frames along t, one chunk in memory at a time."""

    def __init__(
        self,
        image: Image,
        index: NDArray[np.int64],
        camera_time_s: NDArray[np.float64],
        details: StackDetails,
        own: bool,
    ) -> None:
        self._image, self._index, self._time_s, self.details = image, index, camera_time_s, details
        self._own = own

    def frames(self) -> Generator[Frame, None, None]:
        """Yield the frames."""
        step = self._image.array.chunks[self._image.axes.index("t")]
        for first in range(0, len(self._index), step):
            last = min(first + step, len(self._index))
            for place, pixels in enumerate(self._read(first, last), start=first):
                where = f"{self.details.description}, frame {self._index[place]}"
                yield Frame(
                    camera_counts(pixels, where), int(self._index[place]), camera_time_s=float(self._time_s[place])
                )

    def _read(self, first: int, last: int) -> NDArray[np.generic]:
        """Return (t, y, x)."""
        image, t = self._image, self._image.axes.index("t")
        fault = fault_in_chunks(image.folder, image.array, t, first // image.array.chunks[t], complete=self._own)
        if fault:
            raise self._damaged(first, last, fault)
        part: Any = tuple(
            slice(first, last) if axis == "t" else slice(None) if axis in ("y", "x") else 0 for axis in image.axes
        )
        try:
            return np.asarray(image.array[part])
        except (RuntimeError, ValueError, OSError) as error:  # what decoders raise
            raise self._damaged(first, last, str(error)) from error

    def _damaged(self, first: int, last: int, what: str) -> FrameFormatError:
        return FrameFormatError(
            f"{self.details.description} is damaged in frames {self._index[first]} to {self._index[last - 1]}: {what}",
            limit=f"frames before them ({first}) are good and were taken",
            remedy="copy the image again from where it was recorded",
        )


def open_ome_zarr(path: Path) -> OmeZarrStack:
    """Return the stack of an OME-Zarr image.

    Raises
    ------
    FrameFormatError
        No image, more axes than t, y and x, or pixels that are not camera counts.
    """
    try:
        group = zarr.open_group(path, mode="r")
        image = _image(group, path)
        own = group.attrs.get("livesmlm")
        frames = image.array.shape[image.axes.index("t")]
        index, time_s = np.arange(frames), np.full(frames, nan)
        if isinstance(own, dict):  # frames beyond the end of the index were cut short
            index, time_s = (np.asarray(group[name]) for name in ("frame_index", "camera_time_s"))
    except (KeyError, TypeError, ValueError, OSError) as error:  # zarr's own are ValueErrors
        raise _not_an_image(path.name, repr(error)) from error
    details = _details(image, path.name, len(index), own if isinstance(own, dict) else {})
    return OmeZarrStack(image, index, time_s, details, isinstance(own, dict))


def _image(group: zarr.Group, path: Path) -> Image:
    name = path.name
    attributes: Mapping[str, Any] = group.attrs.asdict()
    multiscales = attributes.get("ome", attributes).get("multiscales")
    if not multiscales:
        raise _not_an_image(name, "it has no multiscales")
    axes = [axis["name"] for axis in multiscales[0]["axes"]]
    units = {axis["name"]: axis.get("unit", "") for axis in multiscales[0]["axes"]}
    level = multiscales[0]["datasets"][0]
    array = group[level["path"]]
    if not isinstance(array, zarr.Array) or array.ndim != len(axes):
        raise _not_an_image(name, f"{level['path']} is not an array with axes {axes}")
    lengths = dict(zip(axes, array.shape, strict=True))
    more = [f"{axis} has {length}" for axis, length in lengths.items() if axis not in ("t", "y", "x") and length != 1]
    if more or not {"t", "y", "x"} <= lengths.keys() or axes.index("y") > axes.index("x"):
        raise _not_an_image(name, f"its axes are {', '.join(f'{axis} ({length})' for axis, length in lengths.items())}")
    if not lengths["t"]:
        raise _not_an_image(name, "it holds no frame")
    check_dtype(array.dtype, name)
    scales = (entry["scale"] for entry in level["coordinateTransformations"] if entry["type"] == "scale")
    scale = dict(zip(axes, next(scales, [nan] * len(axes)), strict=True))
    interval_s, pixel_nm = scale["t"] * UNIT_S.get(units["t"], nan), scale["y"] * UNIT_NM.get(units["y"], nan)
    return Image(path / array.path, array, axes, interval_s, pixel_nm)


def _details(image: Image, name: str, frames: int, own: Mapping[str, Any]) -> StackDetails:
    shape = dict(zip(image.axes, image.array.shape, strict=True))
    return StackDetails(
        height_px=shape["y"],
        width_px=shape["x"],
        frames=frames,
        interval_s=image.interval_s,
        exposure_ms=own.get("exposure_ms") or nan,
        pixel_size_nm=image.pixel_size_nm,
        verifiable=own.get("verifiable", True),
        description=name if own.get("complete", True) else f"{name}, as far as it was recorded",
    )


def _not_an_image(name: str, what: str) -> FrameFormatError:
    return FrameFormatError(
        f"{name} is not an OME-Zarr image of frames: {what}",
        limit=KEPT,
        remedy="name the image itself, the folder whose metadata has `multiscales`; split channels and positions first",
    )
