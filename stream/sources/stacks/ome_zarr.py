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


@dataclass(frozen=True, slots=True)
class About:
    """What is known of each frame beside its pixels.

    Parameters
    ----------
    index : (t,) int64
    camera_time_s, stage_z_um : (t,) float64
        nan where nobody states it.
    """

    index: NDArray[np.int64]
    camera_time_s: NDArray[np.float64]
    stage_z_um: NDArray[np.float64]


class OmeZarrStack:
    """Frames along t, one chunk in memory at a time."""

    def __init__(self, image: Image, about: About, details: StackDetails, own: bool) -> None:
        self._image, self._about, self.details, self._own = image, about, details, own

    def frames(self) -> Generator[Frame, None, None]:
        """Yield the frames."""
        step = self._image.array.chunks[self._image.axes.index("t")]
        about, count = self._about, len(self._about.index)
        for first in range(0, count, step):
            for place, pixels in enumerate(self._read(first, min(first + step, count)), start=first):
                index = int(about.index[place])
                yield Frame(
                    camera_counts(pixels, f"{self.details.description}, frame {index}"),
                    index,
                    camera_time_s=float(about.camera_time_s[place]),
                    stage_z_um=float(about.stage_z_um[place]),
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
        one, other = self._about.index[first], self._about.index[last - 1]
        return FrameFormatError(
            f"{self.details.description} is damaged in frames {one} to {other}: {what}",
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
        stated = group.attrs.get("livesmlm")
        own = stated if isinstance(stated, dict) else {}
        about = _ours(group) if own else _numbered(image.array.shape[image.axes.index("t")])
    except (KeyError, TypeError, ValueError, OSError) as error:  # zarr's own are ValueErrors
        raise _not_an_image(path.name, repr(error)) from error
    return OmeZarrStack(image, about, _details(image, path.name, len(about.index), own), own=bool(own))


def _ours(group: zarr.Group) -> About:
    """Return the arrays beside our image; frames beyond the end of the index were cut short."""
    index, time_s = np.asarray(group["frame_index"]), np.asarray(group["camera_time_s"])
    stage_um = np.asarray(group["stage_z_um"]) if "stage_z_um" in group else np.full(len(index), nan)
    return About(index, time_s, stage_um)


def _numbered(frames: int) -> About:
    return About(np.arange(frames), np.full(frames, nan), np.full(frames, nan))


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
