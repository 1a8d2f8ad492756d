"""A lane whose device is talked to by one thread: for libraries that wait for the device, or keep things by thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from stream.engines.lane import Filled, Lane


class ThreadedLane:
    """Another lane, made and launched on a thread, so that whoever submits a batch does not wait.

    Parameters
    ----------
    make : callable
        Returns the other lane.
    thread : ThreadPoolExecutor
        Of one thread; whoever made it ends it.
    places : int
        Of the other lane.
    """

    def __init__(self, make: Callable[[], Lane], thread: ThreadPoolExecutor, places: int) -> None:
        self._lane, self._thread = thread.submit(make).result(), thread
        self._launched: list[list[Future[None]]] = [[] for _ in range(places)]
        self.buckets: tuple[int, ...] = self._lane.buckets

    def frames(self, place: int) -> NDArray[np.uint8]:
        """Return the memory of a place; as `Lane.frames`."""
        for launched in self._launched[place]:
            launched.exception()  # which is for whoever asks for the outcome
        self._launched[place].clear()
        return self._lane.frames(place)

    def launch(self, place: int, bucket: int, valid: int) -> None:
        """Begin; as `Lane.launch`."""
        self._launched[place].append(self._thread.submit(self._lane.launch, place, bucket, valid))

    def outcome(self, place: int) -> Filled:
        """Wait; as `Lane.outcome`."""
        for launched in self._launched[place]:
            launched.result()
        return self._lane.outcome(place)

    def close(self) -> None:
        """Free the device's memory, behind all that was launched. May be called more than once."""
        self._thread.submit(self._lane.close).result()
