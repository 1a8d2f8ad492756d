"""NDTiff datasets, as Micro-Manager, pycro-manager and ndstorage write them, read as a stack."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from itertools import islice
from math import nan
from pathlib import Path

from stream.errors import FrameFormatError
from stream.frame import Frame
from stream.sources.stacks.ndtiff_axes import Numbering
from stream.sources.stacks.ndtiff_images import (
    ELAPSED_MS,
    EXPOSURE_MS,
    PIXEL_UM,
    ImageFiles,
    NotThereYet,
    number,
)
from stream.sources.stacks.ndtiff_index import INDEX, Entry, IndexReader
from stream.sources.stacks.stack import StackDetails

TIMED_IMAGES = 32
INNER = "Full resolution"


class NdTiffStack:
    """The images of a dataset that is not written any more, in the order of its index."""

    def __init__(self, folder: Path, numbering: Numbering, details: StackDetails) -> None:
        self._folder, self._numbering, self.details = folder, numbering, details

    def frames(self) -> Generator[Frame, None, None]:
        """Yield the frames; the index is read again, so that a long one is never in memory as a whole."""
        files = ImageFiles(self._folder)
        try:
            for place, entry in enumerate(IndexReader(self._folder / INDEX).read()):
                try:
                    yield files.frame(entry, self._numbering.index(entry, place))
                except NotThereYet as missing:
                    raise _incomplete(self._folder, place, missing) from missing
        finally:
            files.close()


def ndtiff_folder(path: Path) -> Path | None:
    """Return the folder with the index of the dataset at `path`; None if there is none."""
    return next((folder for folder in (path, path / INNER) if (folder / INDEX).is_file()), None)


def open_ndtiff(path: Path) -> NdTiffStack:
    """Return the stack of a dataset.

    Raises
    ------
    FrameFormatError
        The index is damaged, there are several channels or positions, or the pixels are not camera counts.
    """
    folder = ndtiff_folder(path) or path
    numbering, files = Numbering({}, path.name), ImageFiles(folder)
    entries = numbering.pick(IndexReader(folder / INDEX).read())
    first = list(islice(entries, TIMED_IMAGES))
    for _ in entries:
        pass  # counted, and its axes are remembered
    numbering.begin()
    try:
        details = describe(first[0], files, path.name)
        interval_s = _interval_s(first, files)
    except NotThereYet as missing:
        raise _incomplete(folder, 0, missing) from missing
    finally:
        files.close()
    details = replace(details, frames=numbering.picked, verifiable=numbering.by_time, interval_s=interval_s)
    return NdTiffStack(folder, numbering, details)


def describe(first: Entry, files: ImageFiles, name: str) -> StackDetails:
    """Return what the first image tells of all; raises as `ImageFiles.frame`."""
    about = files.metadata(first)
    return StackDetails(
        height_px=first.height_px,
        width_px=first.width_px,
        frames=None,
        exposure_ms=number(about, EXPOSURE_MS, zero_is_unknown=True),
        pixel_size_nm=1000 * number(about, PIXEL_UM, zero_is_unknown=True),
        description=name,
    )


def _interval_s(entries: Sequence[Entry], files: ImageFiles) -> float:
    """Return the mean time between two of them, whose arrival times jitter by a millisecond and more."""
    try:
        abouts = [files.metadata(entry) for entry in (entries[0], entries[-1])]
    except NotThereYet:
        return nan
    times_ms = [number(about, ELAPSED_MS, zero_is_unknown=True) for about in abouts]
    interval_s = (times_ms[1] - times_ms[0]) / 1000 / max(1, len(entries) - 1)
    return interval_s if interval_s > 0 else nan


def _incomplete(folder: Path, place: int, missing: NotThereYet) -> FrameFormatError:
    return FrameFormatError(
        f"{folder.name} is incomplete at image {place} of its index: {missing}",
        limit=f"images before it ({place}) are good and were taken",
        remedy='copy the dataset again from where it was recorded; one that is still written: [source] kind = "follow"',
    )
