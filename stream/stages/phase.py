"""The optics, watched while the data is taken: single molecules go to the slow lane, new spots come back.

Frames never wait, and are looked at only when the slow lane is free and it is time again: so what it gets is new.
Every row says by `psf_epoch` which spots it was fitted with; 0 are those of the start.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from models.aberrations.molecules import Molecules, best, cut, joined
from models.camera import Camera
from stream.config import PhaseSettings
from stream.frame import Batch
from stream.stages.slow_lane import Dialogue, SlowLane
from stream.stages.stage import Located, Stage

AMPLE = 2
"""So many times the molecules that are needed are collected to choose from."""


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
        self._stage, self._dialogue = stage, Dialogue(lane, stage, "molecules")
        self._camera, self._pixel_nm, self._window_px = camera, pixel_size_nm, lane.window_px
        self._wanted, self._every_s, self._clock = settings.molecules, settings.every_s, clock
        self._frames: dict[int, NDArray[np.float32]] = {}
        self._pool: list[tuple[Molecules, int, float]] = []
        self._next_s = clock() + settings.every_s

    @property
    def look_ahead_frames(self) -> int:
        """How many of the newest frames may now lack their answer."""
        return self._stage.look_ahead_frames

    def process(self, batch: Batch) -> Located:
        """Take frames in order; return what is known by now."""
        news = self._dialogue.hear()
        if news is not None:
            self._next_s = max(self._next_s, self._clock() + self._dialogue.rest_s)
        if self._dialogue.free and self._clock() >= self._next_s:
            counts = self._camera.photo_electrons(batch.pixels) / np.float32(self._camera.excess)
            self._frames.update(zip(batch.index.tolist(), np.asarray(counts, np.float32), strict=True))
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
        """Collect molecules of the frames that were kept; hand over when there are enough to choose from."""
        kept = [index for index in located.index.tolist() if index in self._frames]
        if not kept:
            return
        table = located.table.where(np.isin(located.table["frame"], kept))
        frame = np.searchsorted(kept, np.asarray(table["frame"], np.int64))
        counts = np.stack([self._frames.pop(index) for index in kept])
        found = cut(counts, frame, table, self._camera, self._pixel_nm, self._window_px)
        self._pool.append((found, kept[-1], float(located.host_time_s.mean())))
        if sum(len(molecules) for molecules, _, _ in self._pool) >= AMPLE * self._wanted:
            self._hand_over()

    def _hand_over(self) -> None:
        parts, frames, times = zip(*self._pool, strict=True)
        self._pool.clear()
        self._frames.clear()
        self._next_s = self._clock() + self._every_s
        self._dialogue.hand_over(best(joined(parts), self._wanted), float(np.mean(times)), frames[-1])
