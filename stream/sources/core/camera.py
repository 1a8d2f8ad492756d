"""What a Core says of its camera and devices, before the first frame."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from stream.errors import FrameFormatError, SourceFault

BYTES = (1, 2)


class CameraFacts(NamedTuple):
    """What a run needs of the camera, and what its record keeps.

    Attributes
    ----------
    shape : (int, int)
        Height and width.
    exposure_ms, pixel_size_nm : float
        The latter nan if Micro-Manager does not know it.
    record : dict
        For people: plain values by name.
    """

    shape: tuple[int, int]
    exposure_ms: float
    pixel_size_nm: float
    record: dict[str, Any]


def read(core: Any) -> CameraFacts:
    """Ask a Core.

    Raises
    ------
    SourceFault
        There is no camera, or it is running already.
    FrameFormatError
        Its pixels are not what a frame can hold.
    """
    camera = core.get_camera_device()
    if not camera:
        raise SourceFault("Micro-Manager has no camera", limit="one as its default", remedy="choose it in Devices")
    if core.is_sequence_running():
        raise SourceFault(
            f"camera {camera} is running already",
            limit="one program takes its images at a time",
            remedy="end Live mode or the acquisition in Micro-Manager, or the other run of LiveSMLM",
        )
    depth, components = core.get_bytes_per_pixel(), core.get_number_of_components()
    if depth not in BYTES or components != 1:
        raise FrameFormatError(
            f"camera {camera} gives {components} components and {depth} bytes for each pixel",
            limit="grey values of 8 or 16 bit", remedy="set its pixel type in Micro-Manager",
        )  # fmt: skip
    micrometers = float(core.get_pixel_size_um())
    shape = int(core.get_image_height()), int(core.get_image_width())
    record = {
        "camera": camera, "exposure_ms": float(core.get_exposure()), "bit_depth": int(core.get_image_bit_depth()),
        "pixel_size_um": micrometers, "binning": _property(core, camera, "Binning"), "roi": _roi(core, shape),
        "core": core.get_version_info(), "buffer_images": int(core.get_buffer_total_capacity()),
        "devices": {label: core.get_device_library(label) for label in _strings(core.get_loaded_devices())},
    }  # fmt: skip
    return CameraFacts(shape, float(core.get_exposure()), 1000 * micrometers or float("nan"), record)


def _property(core: Any, label: str, name: str) -> str:
    return str(core.get_property(label, name)) if core.has_property(label, name) else ""


def _roi(core: Any, shape: tuple[int, int]) -> list[int]:
    """Return x, y, width, height; over the bridge a region comes as an object of Java."""
    roi = core.get_roi()
    if isinstance(roi, (list, tuple)):
        return [int(part) for part in roi]
    return [int(roi.x), int(roi.y), shape[1], shape[0]]


def _strings(found: Any) -> Iterable[str]:
    """Return a list of words; over the bridge it comes as a vector of Java."""
    if isinstance(found, (list, tuple)):
        return found
    return [found.get(index) for index in range(found.size())]
