"""Localizations of the network -> maximum-likelihood fits with the rig's spot, where these are good.

A frame is fitted together with the one before and the one after it, so its answer waits until the localizer has
answered for the next. Frames beside a gap, and the first and the last of a run, are fitted without the missing one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.localizations import Localizations, concatenate
from models.refining.candidates import Options
from models.refining.joint import compile_for
from models.refining.refine import Mode, Optics, refine
from models.refining.spline import SplineSpot
from stream.frame import Batch
from stream.stages.background import Backgrounds
from stream.stages.stage import Located, Stage


@dataclass(frozen=True, slots=True)
class _Frame:
    """A frame that the localizer has answered for."""

    index: int
    host_time_s: float
    counts: NDArray[np.float32]
    table: Localizations
    background: NDArray[np.float32] | None = None


class Refiner:
    """A localizer whose answers are refined.

    Parameters
    ----------
    localizer : Stage
    optics : Optics
    mode : {"isolated", "all"}
    options : Options
    background : Backgrounds or None
        What is under the candidates; None: each fit finds a level of its own.
    """

    def __init__(
        self, localizer: Stage, optics: Optics, mode: Mode, options: Options, background: Backgrounds | None = None
    ) -> None:
        self._localizer, self._optics, self._mode, self._options = localizer, optics, mode, options
        self._background = background
        self._pixels: deque[tuple[int, NDArray[np.float32]]] = deque()
        self._before: _Frame | None = None
        self._waiting: list[_Frame] = []
        compile_for(optics.spot)

    def use(self, spot: SplineSpot) -> None:
        """Fit with these spots from now on; windows that a background was cut for stay as large as they are."""
        if self._background:
            spot = spot.in_window(self._optics.spot.window_px)
        self._optics = replace(self._optics, spot=spot)
        if self._background:
            self._background.optics = self._optics

    @property
    def look_ahead_frames(self) -> int:
        """How many of the newest frames may now lack their answer."""
        return self._localizer.look_ahead_frames + 1

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
        """Answer for all frames but the newest `hold`, which are fitted too: their light matters to those before."""
        self._waiting += self._frames(located)
        ready = max(len(self._waiting) - hold, 0)
        done, rest = self._waiting[:ready], self._waiting[ready:]
        if not done:
            return Located(self._fit(located.table.where(slice(0, 0))), *_times([]))
        known = ([self._before] if self._before else []) + self._waiting
        table = self._fit(concatenate([frame.table for frame in known]), known)
        wanted = [table.where(np.asarray(table["frame"]) == frame.index) for frame in done]
        self._before = replace(done[-1], table=_only(wanted[-1], done[-1].table))
        self._waiting = rest
        picture = self._background.picture if self._background else None
        return Located(concatenate(wanted), *_times(done), background=picture)

    def _frames(self, located: Located) -> list[_Frame]:
        """Bring the answers together with their pixels, which came before them."""
        frames, rows = [], np.asarray(located.table["frame"])
        edges = np.searchsorted(rows, [located.index, located.index + 1])
        for number, (index, time_s) in enumerate(
            zip(located.index.tolist(), located.host_time_s.tolist(), strict=True)
        ):
            came, counts = self._pixels.popleft()
            assert came == index, "the localizer answers for frames in the order in which it took them"
            first, last = edges[:, number]
            frames.append(_Frame(index, time_s, counts, located.table.where(slice(first, last))))
        if not self._background:
            return frames
        under = self._background.under([frame.counts for frame in frames], [frame.table for frame in frames])
        return [replace(frame, background=windows) for frame, windows in zip(frames, under, strict=True)]

    def _fit(self, table: Localizations, known: Sequence[_Frame] = ()) -> Localizations:
        """Refine all rows but those of the frame before, which have their answer."""
        if not known:
            return refine(_NO_FRAMES, _NO_ROWS, table, _NO_ROWS.astype(bool), self._optics, self._mode, self._options)
        index = np.array([frame.index for frame in known], np.int64)
        place = np.concatenate(([0], np.cumsum(np.minimum(np.diff(index), 2))))  # a gap leaves one empty frame
        counts = np.zeros((place[-1] + 1, *known[0].counts.shape), np.float32)
        counts[place] = [frame.counts for frame in known]
        rows = np.asarray(table["frame"])
        open_rows = np.ones(len(rows), bool) if self._before is None else rows != self._before.index
        frame = place[np.searchsorted(index, rows)]
        under = [frame.background for frame in known if frame.background is not None]
        background = np.concatenate(under) if under else None
        return refine(counts, frame, table, open_rows, self._optics, self._mode, self._options, background)


_NO_FRAMES, _NO_ROWS = np.zeros((0, 1, 1), np.float32), np.empty(0, np.int64)


def _only(table: Localizations, like: Localizations) -> Localizations:
    """Keep the columns of `like`."""
    return Localizations({name: table[name] for name in like})


def _times(frames: list[_Frame]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    return np.array([f.index for f in frames], np.int64), np.array([f.host_time_s for f in frames], np.float64)
