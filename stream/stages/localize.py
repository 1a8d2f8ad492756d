"""Batches of raw frames -> localizations in nm.

A frame is located together with the one before and the one after it, so the answer for the newest frame waits for
the next. Features of each frame are computed once and handed from call to call. Where a frame has no neighbour (first
or last of the run, beside a gap) it stands in for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.camera import Camera
from models.localizations import Localizations, concatenate
from stream.engine import Engine
from stream.errors import EngineFault
from stream.frame import Batch, Float64Array, UInt16Array
from stream.stages.stage import Located


@dataclass(frozen=True, slots=True)
class _Waiting:
    """The newest frame: it still lacks the one after it."""

    pixels: UInt16Array
    index: int
    host_time_s: float


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

    look_ahead_frames = 1

    def __init__(
        self, engine: Engine, camera: Camera, height_px: int, width_px: int, pixel_size_nm: float, threshold: float
    ) -> None:
        shape, card = (height_px, width_px), engine.card
        self._engine, self._pixel_size_nm = engine, pixel_size_nm
        self._quantum_efficiency = camera.quantum_efficiency
        self._fixed = {
            "offset": _map(camera.offset_adu, shape),
            "gain": _map(camera.adu_per_photo_electron, shape),
            "variance": _map(camera.variance_e2, shape),
            "excess": np.asarray(camera.excess, np.float32),
            "threshold": np.asarray(threshold, np.float32),
        }
        padded = [-(-side // card.multiple_px) * card.multiple_px // card.stride for side in shape]
        self._no_context = np.zeros((2, card.features, *padded), np.float32)
        self._context = self._no_context
        self._waiting: _Waiting | None = None
        self._columns = card.columns

    def process(self, batch: Batch) -> Located:
        """Take frames in order; return what is known by now: all but the newest frame."""
        cuts = np.flatnonzero(np.diff(batch.index) != 1) + 1
        edges = [0, *cuts.tolist(), len(batch)]
        parts = [part for a, b in pairwise(edges) if b > a for part in self._consecutive(batch, a, b)]
        return self._join(parts)

    def flush(self) -> Located:
        """Return the answer for the newest frame, with itself in the place of the one that did not come."""
        waiting, self._waiting = self._waiting, None
        if waiting is None:
            return self._join([])
        return self._run(waiting.pixels[None], np.array([waiting.index]), np.array([waiting.host_time_s]))

    def _consecutive(self, batch: Batch, a: int, b: int) -> list[Located]:
        """Take frames a..b-1 of the batch, which follow one another."""
        parts = []
        if self._waiting is None or batch.index[a] != self._waiting.index + 1:
            parts.append(self.flush())
            self._start(batch, a)
            a += 1
        if b > a:
            assert self._waiting is not None
            index = np.concatenate(([self._waiting.index], batch.index[a : b - 1]))
            times = np.concatenate(([self._waiting.host_time_s], batch.host_time_s[a : b - 1]))
            parts.append(self._run(batch.pixels[a:b], index, times))
            self._wait_for_next(batch, b - 1)
        return parts

    def _start(self, batch: Batch, at: int) -> None:
        """Let a frame stand in for the one before it."""
        self._context = self._no_context
        self._call(batch.pixels[at : at + 1])
        self._context = np.repeat(self._context[1:], 2, axis=0)
        self._wait_for_next(batch, at)

    def _wait_for_next(self, batch: Batch, at: int) -> None:
        self._waiting = _Waiting(batch.pixels[at].copy(), int(batch.index[at]), float(batch.host_time_s[at]))

    def _run(self, pixels: UInt16Array, index: NDArray[np.int64], host_time_s: Float64Array) -> Located:
        """Locate the frames `index`, each one before the corresponding frame of `pixels`."""
        frame, rows = self._call(pixels)
        return Located(self._table(index[frame], rows), index, host_time_s)

    def _call(self, pixels: UInt16Array) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        outputs = self._engine.run({"frames": pixels, **self._fixed, "context": self._context})
        self._context = np.asarray(outputs["context_out"], np.float32)
        count, rows = int(outputs["count"]), len(outputs["table"])
        if count > rows:
            raise EngineFault(
                f"the model found {count} localizations in {len(pixels)} frames", limit=f"its table has {rows} rows",
                remedy="use a smaller [policy] batch_frames, or a model exported with more rows",
            )  # fmt: skip
        return np.asarray(outputs["frame"][:count], np.int64), np.asarray(outputs["table"][:count], np.float32)

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


def _map(value: float | NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    return np.ascontiguousarray(np.broadcast_to(np.asarray(value, np.float32), shape))
