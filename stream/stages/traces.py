"""Traces: spots that stay are found in the first frames, their light is measured in every frame, their steps counted.

    finding -> following -> finished
       |
       +-> nothing (no spot stays)

Frames are measured as they come; those in which the spots were found, from the first one on, afterwards. Counting takes
a few traces at a time, whenever there is a moment.

Decision: a count that fails is told and tried again, and does not end the run. Context: nobody waits for it, and the
light, which is all it needs, is kept. Consequence: `traces.parquet` may have no steps, as for too few frames; the run
says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.localizations import Localizations, concatenate
from stream.bleaching.counting import CountingRound
from stream.bleaching.counts import Counted, examples
from stream.bleaching.file import write_traces
from stream.bleaching.photometer import Photometer
from stream.bleaching.record import TraceRecord
from stream.bleaching.settings import TracesSettings
from stream.bleaching.spots import static_spots
from stream.engine import Engine
from stream.errors import EngineFault
from stream.frame import Batch
from stream.stages.stage import Located

Float64 = NDArray[np.float64]
Publish = Callable[[dict[str, Any], NDArray[np.float32]], None]
"""Takes header and payload of a `traces` message."""
MOST_SPOTS = 5000
"""The brightest are followed: 40 MB."""


class TraceWatch:
    """Follows spots that stay.

    Parameters
    ----------
    settings : TracesSettings
    engine : Engine
        With a model that `livesmlm train xu-bleaching` made.
    photometer : Photometer
    publish : callable
        Takes header and payload (n, 4) float32 of a `traces` message: x, y, steps, probability.
    tell : callable
        Told in words what should be known.
    clock : callable

    Attributes
    ----------
    position_nm : (n, 3) float64
        Of the spots when they were found; empty before.
    record : TraceRecord or None
        None before spots were found.
    counted : Counted or None
        The newest complete count; after the end None if the last one failed.
    """

    def __init__(
        self, settings: TracesSettings, engine: Engine, photometer: Photometer, publish: Publish,
        tell: Callable[[str], None], clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._settings, self._engine, self._photometer = settings, engine, photometer
        self._publish, self._tell, self._clock = publish, tell, clock
        frames = engine.card.sample_space["frames"]
        self._least, self._most = int(frames.low), int(frames.high) // 2 * 2
        self._finding, self._tables, self._heard = True, list[Localizations](), 0
        self._early: list[tuple[NDArray[np.uint16], NDArray[np.int64]]] = []
        self._next_s, self._told = clock() + settings.every_s, False
        self._round: CountingRound | None = None
        self.position_nm: Float64 = np.empty((0, 3))
        self.record: TraceRecord | None = None
        self.counted: Counted | None = None

    def take(self, batch: Batch) -> None:
        """Measure a batch, or keep it until the spots are known; its pixels are not used after the return."""
        if self._finding:
            self._early.append((batch.pixels.copy(), batch.index.copy()))
        elif self.record is not None and len(batch):
            self.record.add(*self._photometer.measure(batch.pixels, batch.index), batch.index)

    def hear(self, located: Located) -> None:
        """Hear what was located in the first frames."""
        if not self._finding:
            return
        self._tables.append(located.table)
        self._heard += len(located.index)
        if self._heard >= self._settings.find_frames:
            self._find()

    def serve(self) -> None:
        """Count a few traces if it is time, and publish when all are counted; call it often."""
        record = self.record
        if record is None or self._clock() < self._next_s or len(record) < self._least:
            return
        try:
            self._count_some(record)
        except EngineFault as fault:
            self._try_later(fault)

    def finish(self) -> None:
        """Count all that was measured."""
        if self._finding:
            self._find()
        record = self.record
        if record is None:
            return
        if len(record) < self._least:
            self._tell(f"traces: {len(record)} frames are too few to count steps in; {self._least} are needed")
            return
        self._round = self.counted = None
        try:
            while self.counted is None:
                self._count_some(record)
        except EngineFault as fault:
            self._tell(f"traces: steps were not counted, traces.parquet has the light alone: {fault}")
        self._doubt()

    def write(self, folder: Path) -> None:
        """Write `traces.parquet` if spots were found. Raises StorageFault."""
        if self.record is not None:
            write_traces(folder, self.position_nm, self.record, self.counted, self.summary())

    def summary(self) -> dict[str, Any]:
        """Return for run.json what was found."""
        record = self.record
        if record is None:
            return {"spots": len(self.position_nm)}
        found = {"spots": len(self.position_nm), "samples": len(record), "frames_per_sample": record.frames_per_sample}
        return found if self.counted is None else found | self.counted.facts()

    def _find(self) -> None:
        """Look for spots that stay, and measure the frames that came meanwhile."""
        self._finding = False
        early, self._early = self._early, []
        found = (
            static_spots(concatenate(self._tables), self._heard, self._photometer.pixel_size_nm) if self._tables else ()
        )
        if not len(found):
            self._tell(f"traces: no spot stays in the first {self._heard} frames; nothing is followed")
            return
        if len(found) > MOST_SPOTS:
            self._tell(f"traces: {len(found)} spots stay, the {MOST_SPOTS} brightest are followed")
        self.position_nm = np.asarray(found[:MOST_SPOTS], np.float64)
        frames = np.concatenate([pixels for pixels, _ in early])[: self._settings.find_frames]
        self._photometer.aim(self.position_nm, frames)
        self.record = TraceRecord(len(self.position_nm), self._most)
        for pixels, index in early:
            self.record.add(*self._photometer.measure(pixels, index), index)

    def _count_some(self, record: TraceRecord) -> None:
        """Count the next traces; when all are counted, publish. Raises EngineFault."""
        if self._round is None:
            self._round = CountingRound(self._engine, record)
        counted = self._round.count_some()
        if counted is not None:
            self._tell_counts(counted, self._round)

    def _try_later(self, fault: EngineFault) -> None:
        self._round, self._next_s = None, self._clock() + self._settings.every_s
        if not self._told:
            self._told = True
            self._tell(f"traces: a count of steps failed and will be tried again, light is measured as before: {fault}")

    def _tell_counts(self, counted: Counted, shown: CountingRound) -> None:
        self.counted, self._round = counted, None
        self._next_s = self._clock() + self._settings.every_s
        header = {
            "frame": round(float(shown.frame[-1])), "spots": len(self.position_nm), "samples": len(shown.frame),
            "frames_per_sample": shown.frames_per_sample, **counted.facts(),
            "examples": examples(counted, self.position_nm, shown.light_e, shown.frame),
        }  # fmt: skip
        rows = np.column_stack((self.position_nm[:, :2], counted.steps, counted.sure))
        self._publish(header, rows.astype(np.float32))

    def _doubt(self) -> None:
        """Say if steps are harder to see than any that the network learned from."""
        snr = None if self.counted is None else self.counted.facts()["median_snr"]
        known = self._engine.card.sample_space["snr"]
        if snr is not None and snr < known.low:
            self._tell(f"traces: a step is {snr:g} times the noise; the model knows {known.low:g} to {known.high:g}")
