"""Localizations of the network -> maximum-likelihood fits with the rig's spot, where these are good.

A frame is fitted together with the one before and the one after it, so its answer waits until the localizer has
answered for the next. Frames beside a gap, and the first and the last of a run, are fitted without the missing one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.localizations import Localizations, concatenate
from models.refining.joint import Options, compile_for
from models.refining.refine import Mode, Optics, refine
from stream.frame import Batch
from stream.stages.stage import Located, Stage


@dataclass(frozen=True, slots=True)
class _Frame:
    """A frame that the localizer has answered for."""

    index: int
    host_time_s: float
    counts: NDArray[np.float32]
    table: Localizations


class Refiner:
    """A localizer whose answers are refined.

    Parameters
    ----------
    localizer : Stage
    optics : Optics
    mode : {"isolated", "all"}
    options : Options
    """

    def __init__(self, localizer: Stage, optics: Optics, mode: Mode, options: Options) -> None:
        self.look_ahead_frames = localizer.look_ahead_frames + 1
        self._localizer, self._optics, self._mode, self._options = localizer, optics, mode, options
        self._pixels: deque[tuple[int, NDArray[np.float32]]] = deque()
        self._before: _Frame | None = None
        self._waiting: list[_Frame] = []
        compile_for(optics.spot)

    def process(self, batch: Batch) -> Located:
        """Take frames in order; return what is known by now: all but the two newest frames."""
        camera = self._optics.camera
        counts = camera.photo_electrons(batch.pixels) / np.float32(camera.excess)
        self._pixels.extend(zip(batch.index.tolist(), np.asarray(counts, np.float32), strict=True))
        return self._take(self._localizer.process(batch), hold=1)

    def flush(self) -> Located:
        """Return the answer for the newest frames."""
        located = self._take(self._localizer.flush(), hold=0)
        self._pixels.clear()
        self._before = None
        return located

    def _take(self, located: Located, hold: int) -> Located:
        self._waiting += self._frames(located)
        ready = len(self._waiting) - hold
        if ready <= 0:
            return Located(self._fit([], located.table.where(slice(0, 0))), *_times([]))
        frames = self._waiting
        table = self._fit(frames[:ready], concatenate([frame.table for frame in self._known()]))
        done, self._waiting = frames[:ready], frames[ready:]
        self._before = done[-1]
        return Located(table, *_times(done))

    def _known(self) -> list[_Frame]:
        return [*([self._before] if self._before else []), *self._waiting]

    def _frames(self, located: Located) -> list[_Frame]:
        """Bring the answers together with their pixels, which came before them."""
        frames, rows = [], np.asarray(located.table["frame"])
        edges = np.searchsorted(rows, [located.index, located.index + 1])
        for number, (index, time_s) in enumerate(zip(located.index.tolist(), located.host_time_s.tolist(), strict=True)):
            came, counts = self._pixels.popleft()
            assert came == index, "the localizer answers for frames in the order in which it took them"
            first, last = edges[:, number]
            frames.append(_Frame(index, time_s, counts, located.table.where(slice(first, last))))
        return frames

    def _fit(self, wanted: list[_Frame], table: Localizations) -> Localizations:
        """Refine the rows of the wanted frames, with all that is known of their neighbours."""
        known = self._known()
        index = np.array([frame.index for frame in known], np.int64)
        place = np.concatenate(([0], np.cumsum(np.minimum(np.diff(index), 2)))) if len(index) else index
        counts = np.zeros((place[-1] + 1 if len(place) else 0, *_shape(known)), np.float32)
        for at, frame in zip(place, known, strict=True):
            counts[at] = frame.counts
        rows = place[np.searchsorted(index, table["frame"])] if len(index) else np.empty(0, np.int64)
        chosen = np.isin(table["frame"], [frame.index for frame in wanted])
        return refine(counts, rows, table, chosen, self._optics, self._mode, self._options)


def _shape(frames: list[_Frame]) -> tuple[int, ...]:
    return frames[0].counts.shape if frames else (1, 1)


def _times(frames: list[_Frame]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    return np.array([f.index for f in frames], np.int64), np.array([f.host_time_s for f in frames], np.float64)
