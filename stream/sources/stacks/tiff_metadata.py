"""What ImageJ and Micro-Manager write of a stack into its TIFF tags (OME-XML: `tiff_ome.py`)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from math import nan
from pathlib import Path
from typing import Any

from tifffile import TiffFile

from stream.sources.stacks.tiff_chain import directory, reachable

UNIT_NM = {
    "nm": 1.0,
    "micron": 1e3,
    "microns": 1e3,
    "um": 1e3,
    "\xb5m": 1e3,
    "\u03bcm": 1e3,
    "\\u00B5m": 1e3,
    "mm": 1e6,
}
MICRO_MANAGER_TAG = 51123
TIMED_PAGES = 32


@dataclass(frozen=True, slots=True)
class Stated:
    """What one file states; nan and None where it does not.

    Parameters
    ----------
    frames : int or None
        Pages, or frames behind a single directory.
    channels : int
        Images taken at one time.
    interval_s, exposure_ms, pixel_size_nm : float
    """

    frames: int | None = None
    channels: int = 1
    interval_s: float = nan
    exposure_ms: float = nan
    pixel_size_nm: float = nan


def stated(file: TiffFile, path: Path) -> Stated:
    """Return what the file states. Raises FrameFormatError if its first pages are damaged."""
    if MICRO_MANAGER_TAG in file.pages.first.tags:
        return _micro_manager(file, path)
    if file.is_imagej and file.imagej_metadata is not None:
        return _imagej(file, file.imagej_metadata)
    return Stated()


def _imagej(file: TiffFile, metadata: dict[str, Any]) -> Stated:
    return Stated(
        frames=metadata.get("images"),
        channels=metadata.get("channels", 1),
        interval_s=_positive(metadata.get("finterval")),
        pixel_size_nm=_pixel_size_nm(file, str(metadata.get("unit"))),
    )


def _pixel_size_nm(file: TiffFile, unit: str) -> float:
    resolution = file.pages.first.tags.get("XResolution")
    if resolution is None or unit not in UNIT_NM or resolution.value[0] == 0:
        return nan
    pixels, units = resolution.value
    size_nm = float(units / pixels * UNIT_NM[unit])
    return size_nm if 1 < size_nm < 1e5 else nan  # programs write nonsense for unknown


def _micro_manager(file: TiffFile, path: Path) -> Stated:
    offsets = islice(reachable(file, path), TIMED_PAGES)
    tags = [directory(file, path, page, offset).tags.get(MICRO_MANAGER_TAG) for page, offset in enumerate(offsets)]
    pages = [tag.value for tag in tags if tag is not None and isinstance(tag.value, dict)]
    first = pages[0] if pages else {}
    # the mean over many pages: arrival times jitter by a millisecond and more
    times_ms = [_positive(page.get("ElapsedTime-ms")) for page in pages]
    interval_s = (times_ms[-1] - times_ms[0]) / (len(times_ms) - 1) / 1000 if len(times_ms) > 1 else nan
    return Stated(
        interval_s=_positive(interval_s),
        exposure_ms=_positive(first.get("Exposure-ms")),
        pixel_size_nm=1000 * _positive(first.get("PixelSizeUm")),
    )


def _positive(value: Any) -> float:
    """Return the number, or nan for what is missing, no number or not above zero (programs write 0 for unknown)."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return nan
    return number if number > 0 else nan
