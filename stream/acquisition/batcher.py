"""The batcher: frames leave the ring by count or by deadline, whichever comes first."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import inf, isnan

from stream.acquisition.ring_readers import RingReader
from stream.frame import Batch

POLL_S = 0.002


class Batcher:
    """Hands out batches of consecutive arrivals; their indices increase, gaps and all.

    Parameters
    ----------
    reader : RingReader
    frames : int
        A batch is handed out as soon as so many frames wait (or as many as the ring can hold). It is shorter at the
        ring's end, where a longer one would be a copy.
    deadline_s : float
        It is handed out earlier once its oldest frame has waited this long since the host received it.
    clock : callable
        Seconds, on the clock of `Frame.host_time_s`.
    wait : callable
        Told how many seconds it may pass while no batch is ready; the place for the caller's chores, which may call
        `done`. What it raises ends `next`.
    """

    def __init__(
        self,
        reader: RingReader,
        frames: int = 16,
        deadline_s: float = 0.05,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self._reader, self._frames, self._deadline_s = reader, min(frames, reader.slots - 1), deadline_s
        self._max_frames, self._clock, self._wait = frames, clock, wait

    def next(self) -> Batch | None:
        """Wait for the next batch and return it; None if the stream has ended and everything was handed out.

        The pixels may be a view of the ring: call `done` when they are no longer needed, before the next `next`.
        """
        seen_s: float | None = None  # stands for the arrival of frames that carry no host time
        while True:
            finished = self._reader.finished  # before `waiting`: the last frame is written before the end is said
            waiting = self._reader.waiting
            if finished and not waiting:
                return None
            now_s = self._clock()
            seen_s = now_s if seen_s is None and waiting else seen_s
            left_s = 0.0 if finished or waiting >= self._frames else self._time_left(now_s, seen_s)
            if left_s > 0:
                self._wait(min(left_s, POLL_S))
            elif (batch := self._reader.lease(self._max_frames)) is not None:
                return batch

    def _time_left(self, now_s: float, seen_s: float | None) -> float:
        """Return how long the oldest frame may still wait; endless if none waits."""
        if seen_s is None:
            return inf
        arrived_s = self._reader.oldest_host_time_s
        return (seen_s if isnan(arrived_s) else arrived_s) + self._deadline_s - now_s

    def done(self, keep: int = 0) -> None:
        """Give frames back to the ring, all but the newest `keep`; the batch's pixels must not be used after."""
        self._reader.release(keep)
