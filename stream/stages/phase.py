"""The optics, watched while the data is taken: single molecules go to the slow lane, new spots come back.

Frames never wait: what was localized while the slow lane works is kept only as far as it needs it, the newest wins.
Every row says by `psf_epoch` which spots it was fitted with; 0 are those of the start.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.aberrations.molecules import Molecules, best, cut, joined
from models.camera import Camera
from models.localizations import Localizations
from stream.config import PhaseSettings
from stream.frame import Batch
from stream.stages.optics_report import OpticsReport, lost, report
from stream.stages.phase_process import Answer, PhaseProcessDied
from stream.stages.refine import Refiner
from stream.stages.stage import Located, Stage

AMPLE = 5
"""So many times the molecules that are needed are kept to choose from."""


class SlowLane(Protocol):
    """Whoever refines the pupil; `PhaseProcess` does."""

    idle: bool
    window_px: int
    """Edge of the crops that it takes."""

    def send(self, molecules: Molecules, time_s: float) -> None:
        """Take molecules and when they shone."""

    def poll(self) -> Answer | None:
        """Return the answer if there is one."""


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
        self._stage, self._lane, self._camera, self._pixel_nm = stage, lane, camera, pixel_size_nm
        self._wanted, self._every_s, self._clock = settings.molecules, settings.every_s, clock
        self._frames: deque[tuple[int, NDArray[np.float32]]] = deque()
        self._pool: deque[tuple[Molecules, int, float]] = deque()
        self._next_s, self._epoch, self._alive = clock() + settings.every_s, 0, True
        self._rests_on = -1

    def process(self, batch: Batch) -> Located:
        """Take frames in order; return what is known by now."""
        news = self._hear()
        counts = self._camera.photo_electrons(batch.pixels) / np.float32(self._camera.excess)
        self._frames.extend(zip(batch.index.tolist(), np.asarray(counts, np.float32), strict=True))
        return self._told(self._stage.process(batch), news)

    def flush(self) -> Located:
        """Return the answer for the newest frames."""
        located = self._told(self._stage.flush(), self._hear())
        self._frames.clear()
        return located

    def _told(self, located: Located, news: OpticsReport | None) -> Located:
        if self._alive:
            self._collect(located)
            self._hand_over()
        table = located.table
        epoch = np.full(len(table), self._epoch)
        return replace(located, table=Localizations({n: table[n] for n in table} | {"psf_epoch": epoch}), optics=news)

    def _hear(self) -> OpticsReport | None:
        """Take the answer of the slow lane; from now on its spots are fitted with."""
        if not self._alive:
            return None
        try:
            answer = self._lane.poll()
        except PhaseProcessDied as error:
            self._alive = False
            self._pool.clear()
            return lost(str(error))
        if answer is None:
            return None
        if answer.estimate.spots is not None and isinstance(self._stage, Refiner):
            self._stage.use(answer.estimate.spots)
            self._epoch = answer.estimate.epoch
        return report(answer.estimate, "molecules", self._rests_on, answer.seconds)

    def _collect(self, located: Located) -> None:
        """Keep the single molecules of the newest frames, as many as can be wanted."""
        if not len(located.index):
            return
        counts = []
        for index in located.index.tolist():
            while self._frames[0][0] != index:
                self._frames.popleft()
            counts.append(self._frames.popleft()[1])
        frame = np.searchsorted(located.index, np.asarray(located.table["frame"], np.int64))
        found = cut(np.stack(counts), frame, located.table, self._camera, self._pixel_nm, self._lane.window_px)
        if len(found):
            self._pool.append((found, int(located.index[-1]), float(located.host_time_s.mean())))
        while sum(len(part) for part, _, _ in self._pool) - len(self._pool[0][0] if self._pool else ()) > (
            AMPLE * self._wanted
        ):
            self._pool.popleft()

    def _hand_over(self) -> None:
        now = self._clock()
        if now < self._next_s or not self._lane.idle or sum(len(p) for p, _, _ in self._pool) < self._wanted:
            return
        parts, frames, times = zip(*self._pool, strict=True)
        self._pool.clear()
        self._next_s, self._rests_on = now + self._every_s, frames[-1]
        try:
            self._lane.send(best(joined(parts), self._wanted), float(np.mean(times)))
        except PhaseProcessDied:
            return  # the next poll says so
