"""Batches of raw frames -> localizations in nm.

A frame is located together with the one before and the one after it, so the answer for the newest frame waits for
the next. Where a frame has no neighbour (first or last of the run, beside a gap) it stands in for it. While batches
follow one another closely, the engine computes one as the answer to the one before is put to use.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.camera import Camera
from models.localizations import Localizations, concatenate
from stream.engine import Arrays, Engine
from stream.frame import Batch, Float64Array, UInt16Array
from stream.stages.stage import Located


@dataclass(frozen=True, slots=True)
class _Waiting:
    """The newest frame: it still lacks the one after it."""

    pixels: UInt16Array
    index: int
    host_time_s: float


@dataclass(frozen=True, slots=True)
class _UnderWay:
    """A batch that the engine has; `index` and `host_time_s` are of the frames that it answers."""

    slot: int
    index: NDArray[np.int64]
    host_time_s: Float64Array


class Localizer:
    """Hands frames to an engine and turns its rows into a table.

    Parameters
    ----------
    engine : Engine
    camera : Camera
    height_px, width_px : int
    pixel_size_nm : float
    threshold : float
        Detection probability above which a candidate becomes a localization.
    """

    def __init__(
        self, engine: Engine, camera: Camera, height_px: int, width_px: int, pixel_size_nm: float, threshold: float
    ) -> None:
        shape = (height_px, width_px)
        self._pixel_size_nm, self._quantum_efficiency = pixel_size_nm, camera.quantum_efficiency
        self._plan = engine.plan(maps_of(camera, shape) | {"threshold": np.asarray(threshold, np.float32)})
        self._waiting: _Waiting | None = None
        self._under_way: deque[_UnderWay] = deque()
        self._columns = engine.card.columns

    @property
    def look_ahead_frames(self) -> int:
        """How many of the newest frames lack their answer: those under way, and the one that waits for the next."""
        return 1 + sum(len(part.index) for part in self._under_way)

    def process(self, batch: Batch) -> Located:
        """Take frames in order; return what is known by now, after a batch without frames all but the newest frame."""
        cuts = np.flatnonzero(np.diff(batch.index) != 1) + 1
        edges = [0, *cuts.tolist(), len(batch)]
        parts = [part for a, b in pairwise(edges) if b > a for part in self._consecutive(batch, a, b)]
        return self._join([*parts, *self._answered(self._plan.slots - 1 if len(batch) else 0)])

    def flush(self) -> Located:
        """Return the answer for the newest frames, the last with itself in the place of the one that did not come."""
        return self._join([*self._end(), *self._answered(0)])

    def _consecutive(self, batch: Batch, a: int, b: int) -> list[Located]:
        """Take frames a..b-1 of the batch, which follow one another."""
        parts, waiting = [], self._waiting
        if waiting is None or batch.index[a] != waiting.index + 1:
            parts += self._end()
            parts += self._submit(batch.pixels[a:b], batch.index[a : b - 1], batch.host_time_s[a : b - 1], anew=True)
        else:
            index = np.concatenate(([waiting.index], batch.index[a : b - 1]))
            times = np.concatenate(([waiting.host_time_s], batch.host_time_s[a : b - 1]))
            parts += self._submit(batch.pixels[a:b], index, times)
        self._waiting = _Waiting(batch.pixels[b - 1].copy(), int(batch.index[b - 1]), float(batch.host_time_s[b - 1]))
        return parts

    def _end(self) -> list[Located]:
        """Let the newest frame stand in for the one that did not come."""
        waiting, self._waiting = self._waiting, None
        if waiting is None:
            return []
        return self._submit(waiting.pixels[None], np.array([waiting.index]), np.array([waiting.host_time_s]))

    def _submit(
        self, pixels: UInt16Array, index: NDArray[np.int64], host_time_s: Float64Array, anew: bool = False
    ) -> list[Located]:
        """Hand frames to the engine, which answers `index`; return what had to be waited for before."""
        before = self._answered(self._plan.slots - 1)
        self._under_way.append(_UnderWay(self._plan.submit(pixels, anew), index, host_time_s))
        return before

    def _answered(self, keep: int) -> list[Located]:
        """Wait for all batches under way but the newest `keep`."""
        return [self._answer(self._under_way.popleft()) for _ in range(len(self._under_way) - keep)]

    def _answer(self, part: _UnderWay) -> Located:
        rows = self._plan.wait(part.slot)
        return Located(self._table(part.index[rows.frame], rows.table), part.index, part.host_time_s)

    def _table(self, frame: NDArray[np.int64], rows: NDArray[np.float32]) -> Localizations:
        order = np.argsort(frame, kind="stable")
        scale = {"_px": np.float32(self._pixel_size_nm), "photons": np.float32(1 / self._quantum_efficiency)}
        columns: dict[str, NDArray[np.generic]] = {"frame": frame[order]}
        for name, values in zip(self._columns, rows[order].T, strict=True):
            factor = next((value for ending, value in scale.items() if name.endswith(ending)), np.float32(1))
            columns[name.replace("_px", "_nm")] = values * factor
        return Localizations(columns)

    def _join(self, parts: list[Located]) -> Located:
        nothing = Located(
            self._table(np.empty(0, np.int64), np.empty((0, len(self._columns)), np.float32)), *_NO_FRAMES
        )
        parts = [nothing, *parts]
        return Located(
            concatenate(part.table for part in parts),
            np.concatenate([part.index for part in parts]),
            np.concatenate([part.host_time_s for part in parts]),
        )


_NO_FRAMES = (np.empty(0, np.int64), np.empty(0, np.float64))


def maps_of(camera: Camera, shape: tuple[int, ...]) -> Arrays:
    """Return what a localizer is told of the camera, for frames of `shape` (y, x)."""
    return {
        "offset": _map(camera.offset_adu, shape), "gain": _map(camera.adu_per_photo_electron, shape),
        "variance": _map(camera.variance_e2, shape), "excess": np.asarray(camera.excess, np.float32),
    }  # fmt: skip


def _map(value: float | NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    return np.ascontiguousarray(np.broadcast_to(np.asarray(value, np.float32), shape))
