"""All traces as they are at one time, counted a few at a time: a stream need not wait for them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream.bleaching.counts import Counted
from stream.bleaching.record import TraceRecord
from stream.engine import Engine

AT_ONCE = 32
"""Traces that are counted at a time: some 10 ms."""


class CountingRound:
    """One count of all traces.

    Parameters
    ----------
    engine : Engine
        With a model that `livesmlm train xu-bleaching` made.
    record : TraceRecord
        May grow meanwhile; the round is about what it holds now.

    Attributes
    ----------
    light_e, sigma_e : (n, s) float32
        The traces, photo-electrons per frame, and their standard deviation.
    frame : (s,) float64
        Mean index of the frames of each sample.
    frames_per_sample : int
    """

    def __init__(self, engine: Engine, record: TraceRecord) -> None:
        self._engine = engine
        self.light_e, self.sigma_e, self.frame = record.light_e.copy(), record.sigma_e, record.frame.copy()
        self.frames_per_sample = record.frames_per_sample
        self._counted = list[NDArray[np.float32]]()

    def count_some(self) -> Counted | None:
        """Count the next traces; return what all came to, once all are counted. Raises EngineFault."""
        done = sum(map(len, self._counted))
        part = self.light_e[done : done + AT_ONCE]
        self._counted.append(np.asarray(self._engine.run({"trace": part})["probability"], np.float32))
        if done + len(part) < len(self.light_e):
            return None
        return Counted.of(np.concatenate(self._counted), self.light_e, self.sigma_e)
