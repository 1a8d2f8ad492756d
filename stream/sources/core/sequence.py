"""A running camera: images out of the Core's buffer, as frames with the number that the Core gave them.

Decision: the sequence stops when the buffer is full. Context: the other forms empty it then without a word.
Consequence: every image that the Core had is taken, and after them the overflow is an error.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from math import nan
from typing import Any

import numpy as np

from stream.errors import FrameFormatError, SourceFault
from stream.frame import Frame

ENDLESS = 2**31 - 1
MOST = 32
"""Images that are taken at once: news must not wait for a camera that never rests."""
REST_S = 0.0005


class Sequence:
    """Images of one camera.

    Parameters
    ----------
    core : Any
        pycro-manager's `Core`.
    shape : (int, int)
        Height and width of every image.
    counter : str
        Tag in which the camera itself numbers its frames; "" if it has none.
    """

    def __init__(self, core: Any, shape: tuple[int, int], counter: str) -> None:
        self._core, self._shape, self._counter = core, shape, counter or "ImageNumber"
        self._first: int | None = None
        self._newest = -1

    def start(self) -> None:
        """Start the camera; it goes on until it is stopped, or the buffer is full."""
        self._core.start_sequence_acquisition(ENDLESS, 0.0, True)

    def stop(self) -> None:
        """Stop the camera, if it runs."""
        if self._core.is_sequence_running():
            self._core.stop_sequence_acquisition()

    def take(self) -> list[Frame]:
        """Return the images that wait, the oldest first, at most `MOST`; after a short rest if there are none.

        Raises
        ------
        SourceFault
            The buffer was full, the camera stopped, or somebody started it again; all images before were returned.
        FrameFormatError
            An image is of another shape than the first: its region was changed.
        """
        running = self._core.is_sequence_running()  # before the count: what came until it stopped is there then
        waiting = self._core.get_remaining_image_count()
        if not waiting:
            if not running:
                raise self._stopped()
            time.sleep(REST_S)
            return []
        images = [self._core.pop_next_tagged_image() for _ in range(min(waiting, MOST))]
        return [self._frame(image.pix, image.tags) for image in images]

    def _stopped(self) -> SourceFault:
        if self._core.is_buffer_overflowed():
            return SourceFault(
                f"Micro-Manager's buffer was full, so it stopped the camera after image {self._newest}",
                limit=f"it holds {self._core.get_buffer_total_capacity()} images",
                remedy="give it more ([source] buffer_mb, or Tools, Options in Micro-Manager), or a slower camera",
            )
        return SourceFault(
            f"the camera stopped after image {self._newest}",
            limit="a sequence goes on until LiveSMLM ends it",
            remedy="see whether the camera is on and connected, and whether somebody stopped it in Micro-Manager",
        )

    def _frame(self, pixels: Any, tags: Mapping[str, Any]) -> Frame:
        index = self._index(int(tags[self._counter]))
        shape = int(tags["Height"]), int(tags["Width"])
        if shape != self._shape:
            raise FrameFormatError(
                f"image {index} has {shape[0]} x {shape[1]} pixels, the first had {self._shape[0]} x {self._shape[1]}",
                limit="region and binning stay as they are while a run goes on",
                remedy="end the run, change them, start another",
            )
        elapsed_ms = float(tags.get("ElapsedTime-ms", nan))
        image = np.asarray(pixels).reshape(shape).astype(np.uint16, copy=False)
        return Frame(image, index, camera_time_s=elapsed_ms / 1000, host_time_s=time.monotonic())

    def _index(self, number: int) -> int:
        """Return the absolute index of a number that the Core or the camera gave."""
        self._first = number if self._first is None and self._counter != "ImageNumber" else self._first or 0
        index = number - self._first
        if index <= self._newest:
            raise SourceFault(
                f"image {index} came after image {self._newest}: somebody started the camera again",
                limit="one sequence for a run",
                remedy="leave the camera to LiveSMLM while a run goes on; frames in between cannot be accounted for",
            )
        self._newest = index
        return index
