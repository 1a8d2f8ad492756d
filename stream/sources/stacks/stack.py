"""Recorded stacks: what every reader gives, and which reader takes which file.

To add a format: a function `path -> Stack`, and one line in `READERS` (a file, by its ending) or `FOLDERS` (a folder,
by what lies in it).
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from math import nan
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from stream.errors import FrameFormatError
from stream.frame import Frame, UInt16Array

TIFF = "stream.sources.stacks.tiff:open_tiff"
READERS = {
    ".tif": TIFF,
    ".tiff": TIFF,
    ".btf": TIFF,
    ".tf8": TIFF,
    ".raw": "stream.sources.stacks.flat_headers:open_raw",
    ".dax": "stream.sources.stacks.flat_headers:open_dax",
    ".npy": "stream.sources.stacks.flat_headers:open_npy",
    ".spe": "stream.sources.stacks.flat_headers:open_spe",
}
NDTIFF, OME_ZARR = "stream.sources.stacks.ndtiff:open_ndtiff", "stream.sources.stacks.ome_zarr:open_ome_zarr"
FOLDERS = {
    "NDTiff.index": NDTIFF,
    "Full resolution/NDTiff.index": NDTIFF,
    ".zattrs": OME_ZARR,
    ".zgroup": OME_ZARR,
    "zarr.json": OME_ZARR,
}


@dataclass(frozen=True, slots=True)
class StackDetails:
    """What a stack says of itself before its frames are read.

    Parameters
    ----------
    height_px, width_px : int
        Shape of the first frame.
    frames : int or None
        None where only reading to the end would tell.
    interval_s, exposure_ms, pixel_size_nm : float
        As the file's metadata states; nan where it does not.
    verifiable : bool
        False where frames are numbered by their order alone, so that one that was lost leaves no gap.
    description : str
        One line for people: which files.
    """

    height_px: int
    width_px: int
    frames: int | None
    interval_s: float = nan
    exposure_ms: float = nan
    pixel_size_nm: float = nan
    verifiable: bool = True
    description: str = ""


class Stack(Protocol):
    """A recorded stack, read frame by frame in constant memory."""

    @property
    def details(self) -> StackDetails:
        """What the stack says of itself."""

    def frames(self) -> Generator[Frame, None, None]:
        """Yield the frames in order, without the time when they were received; files are open only while this runs.

        Raises
        ------
        FrameFormatError
            The stack is damaged from here on, or a page is not a camera frame.
        """


def open_stack(path: Path) -> Stack:
    """Return the stack at `path`: a file, an NDTiff dataset, an OME-Zarr image, or a folder of TIFF files.

    Raises
    ------
    FrameFormatError
        No such file, a format that is not read here, or a file that is not what its name says.
    """
    if not path.exists():
        raise _no_such_file(path)
    name = _reader_of_folder(path) if path.is_dir() else READERS.get(path.suffix.lower())
    if name is None:
        raise FrameFormatError(
            f"{path.name} is not a stack that can be read: its name ends with {path.suffix!r}",
            limit=f"accepted: {', '.join(READERS)}, an NDTiff dataset, an OME-Zarr image, or a folder of TIFF files",
            remedy="save it as TIFF, for example with Fiji",
        )
    module, function = name.split(":")
    try:
        stack: Stack = getattr(import_module(module), function)(path)
    except OSError as error:
        raise FrameFormatError(
            f"{error.filename or path} cannot be read: {error.strerror or error}",
            remedy="check the permissions and that the disk is connected",
        ) from error
    return stack


def check_shape(frame: Frame, shape: tuple[int, int], name: str) -> None:
    """Raise FrameFormatError unless a frame of the stack called `name` has the (y, x) shape of the first."""
    if frame.pixels.shape != shape:
        raise FrameFormatError(
            f"frame {frame.index} of {name} has shape (y, x) = {frame.pixels.shape}",
            limit=f"expected {shape}, as all frames before it, which were taken",
            remedy="replay the two parts as two stacks",
        )


def check_dtype(dtype: DTypeLike, where: str) -> None:
    """Raise FrameFormatError unless pixels of this dtype are camera counts."""
    plain = np.dtype(dtype)
    if plain.newbyteorder("=") not in (np.uint16, np.uint8):
        raise FrameFormatError(
            f"{where} holds pixels of dtype {plain.newbyteorder('=')}",
            limit="accepted: raw camera counts, uint16 or uint8",
            remedy="export the raw counts of the camera as 16-bit TIFF, without scaling or background subtraction",
        )


def camera_counts(pixels: NDArray[np.generic], where: str) -> UInt16Array:
    """Return (y, x) native uint16; uint8 is widened.

    Raises
    ------
    FrameFormatError
        The page is not one grey image, or its dtype is not that of camera counts.
    """
    if pixels.ndim != 2:
        raise FrameFormatError(
            f"{where} has shape {pixels.shape}",
            limit="accepted: one grey image (y, x) per page; no colour",
            remedy="split the channels and export the one with the molecules",
        )
    check_dtype(pixels.dtype, where)
    return np.ascontiguousarray(pixels, np.uint16)


def damaged(path: Path, page: int, what: str) -> FrameFormatError:
    """Return the error for a file that is broken from `page` (0-based) on."""
    return FrameFormatError(
        f"{path.name} is damaged at page {page}: {what}",
        limit=f"pages before it ({page}) are good and were taken",
        remedy="copy the file again from where it was recorded, or save it again there",
    )


def _reader_of_folder(path: Path) -> str:
    return next((name for mark, name in FOLDERS.items() if (path / mark).is_file()), TIFF)


def _no_such_file(path: Path) -> FrameFormatError:
    folder = next(parent for parent in path.absolute().parents if parent.is_dir())
    readable = sorted(entry.name for entry in folder.iterdir() if entry.is_dir() or entry.suffix.lower() in READERS)
    similar = get_close_matches(path.name, readable, n=3, cutoff=0.5) if folder == path.absolute().parent else []
    return FrameFormatError(
        f"no such file: {path}",
        limit=f"the nearest folder that exists is {folder}; stacks in it: {', '.join(readable[:5]) or 'none'}",
        remedy=f"did you mean {', '.join(similar)}?" if similar else "check the spelling of the path",
    )
