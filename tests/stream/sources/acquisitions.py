"""Acquisitions of somebody else: NDTiff by ndstorage, here or in another process, and a clock that tests hold."""

from collections.abc import Callable, Iterable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from ndstorage import NDTiffDataset, ndtiff_file

ROOM_BYTES = 5_000_000
"""ndstorage leaves so much of a file free."""

Image = tuple[Mapping[str, int | str], np.ndarray]


class Steps:
    """A clock that runs only while someone sleeps, and lets the next thing happen each time that someone does."""

    def __init__(self, steps: Iterable[Callable[[], object]] = (), pass_s: float = 0.01) -> None:
        self.now_s, self._steps, self._pass_s = 100.0, iter(steps), pass_s

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        step = next(self._steps, None)
        if step is not None:
            step()
        self.now_s += max(seconds, self._pass_s)


class Writer:
    """Writes one NDTiff dataset as pycro-manager's Python backend does.

    Parameters
    ----------
    folder : Path
        Becomes the dataset.
    summary : mapping
    """

    def __init__(self, folder: Path, summary: Mapping[str, object] | None = None) -> None:
        folder.mkdir(parents=True)
        self._dataset = NDTiffDataset(str(folder), writable=True)
        self._dataset.initialize(dict(summary or {}))

    def put(self, axes: Mapping[str, int | str], pixels: np.ndarray, **metadata: object) -> None:
        """Write an image; its index entry may stay in memory for a while."""
        writer = self._dataset.current_writer
        self._dataset.put_image(dict(axes), pixels, metadata or {"PixelSizeUm": 0.1})
        if writer is not None and writer is not self._dataset.current_writer:
            writer.reader.close()

    def flush(self) -> None:
        """Bring the index to the disk."""
        self._dataset._index_file.flush()

    def finish(self) -> None:
        """Close the dataset."""
        if self._dataset.current_writer is not None:
            self._dataset.current_writer.reader.close()
        self._dataset.finish()
        self._dataset.close()


def write_ndtiff(folder: Path, images: Iterable[Image], summary: Mapping[str, object] | None = None) -> Path:
    """Write a whole dataset."""
    writer = Writer(folder, summary)
    for axes, pixels in images:
        writer.put(axes, pixels)
    writer.finish()
    return folder


def over_time(stack: np.ndarray) -> list[Image]:
    """Return the images of an acquisition in which nothing but time moves."""
    return [({"time": number}, pixels) for number, pixels in enumerate(stack)]


def movie(frames: int, size: int = 32) -> np.ndarray:
    """Return noise of which each frame says its number in its first pixel."""
    stack = np.random.default_rng(7).integers(0, 65536, (frames, size, size), np.uint16)
    stack[:, 0, 0] = np.arange(frames)
    return stack


def write_on_demand(folder: Path, frames: int, orders: Connection, file_bytes: int) -> None:
    """Be the acquisition's process: write so many frames, and close when asked to."""
    ndtiff_file.MAX_FILE_SIZE = file_bytes + ROOM_BYTES
    writer = Writer(folder, {"Prefix": "test"})
    for axes, pixels in over_time(movie(frames)):
        writer.put(axes, pixels, **{"ElapsedTime-ms": 10.0 * axes["time"] + 5})
    orders.send("written")
    orders.recv()
    writer.finish()
