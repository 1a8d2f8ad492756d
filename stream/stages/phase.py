"""The optics, watched while the data is taken: single molecules go to the slow lane, new spots come back.

Frames never wait: what was localized while the slow lane works is kept only as far as it needs it, the newest wins.
Every row says by `psf_epoch` which spots it was fitted with; 0 are those of the start.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from models.aberrations.molecules import Molecules, best, cut, joined
from models.camera import Camera
from stream.config import PhaseSettings
from stream.frame import Batch
from stream.stages.slow_lane import Dialogue, SlowLane
from stream.stages.stage import Located, Stage

AMPLE = 5
"""So many times the molecules that are needed are kept to choose from."""


class PhaseWatch:
    """A stage whose molecules tell of the pupil.

    Parameters
    ----------
    stage : Stage
        The refiner, or the localizer if nothing is refined.
    lane : SlowLane
    camera : Camera
        Its maps cover the frames.
    pixel_size_nm : float
    settings : PhaseSettings
    clock : callable
        That of `Batch.host_time_s`.
    """

    def __init__(
        self, stage: Stage, lane: SlowLane, camera: Camera, pixel_size_nm: float, settings: PhaseSettings,
        clock: Callable[[], float],
    ) -> None:  # fmt: skip
        self.look_ahead_frames = stage.look_ahead_frames
        self._stage, self._dialogue = stage, Dialogue(lane, stage, "molecules")
        self._camera, self._pixel_nm, self._window_px = camera, pixel_size_nm, lane.window_px
        self._wanted, self._every_s, self._clock = settings.molecules, settings.every_s, clock
        self._frames: deque[tuple[int, NDArray[np.float32]]] = deque()
        self._pool: deque[tuple[Molecules, int, float]] = deque()
        self._next_s = clock() + settings.every_s

    def process(self, batch: Batch) -> Located:
        """Take frames in order; return what is known by now."""
        news = self._dialogue.hear()
        if self._dialogue.alive:
            counts = self._camera.photo_electrons(batch.pixels) / np.float32(self._camera.excess)
            self._frames.extend(zip(batch.index.tolist(), np.asarray(counts, np.float32), strict=True))
        located = self._stage.process(batch)
        self._look_at(located)
        return self._dialogue.told(located, news)

    def flush(self) -> Located:
        """Return the answer for the newest frames."""
        news = self._dialogue.hear()
        located = self._stage.flush()
        self._look_at(located)
        self._frames.clear()
        return self._dialogue.told(located, news)

    def _look_at(self, located: Located) -> None:
        if not self._dialogue.alive:
            self._frames.clear()
        elif len(located.index):
            self._collect(located)
            self._hand_over()

    def _collect(self, located: Located) -> None:
        """Keep the single molecules of the newest frames, as many as can be wanted."""
        counts = []
        for index in located.index.tolist():
            came, pixels = self._frames.popleft()
            assert came == index, "the stage answers for frames in the order in which it took them"
            counts.append(pixels)
        frame = np.searchsorted(located.index, np.asarray(located.table["frame"], np.int64))
        found = cut(np.stack(counts), frame, located.table, self._camera, self._pixel_nm, self._window_px)
        self._pool.append((found, int(located.index[-1]), float(located.host_time_s.mean())))
        while self._pooled() - len(self._pool[0][0]) > AMPLE * self._wanted:
            self._pool.popleft()

    def _pooled(self) -> int:
        return sum(len(molecules) for molecules, _, _ in self._pool)

    def _hand_over(self) -> None:
        now = self._clock()
        if now < self._next_s or not self._dialogue.free or self._pooled() < self._wanted:
            return
        parts, frames, times = zip(*self._pool, strict=True)
        self._pool.clear()
        self._next_s = now + self._every_s
        self._dialogue.hand_over(best(joined(parts), self._wanted), float(np.mean(times)), frames[-1])
