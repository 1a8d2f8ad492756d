"""Locating in whole frames, batch after batch: the features of the last two frames are handed on."""

from __future__ import annotations

import numpy as np

from export.card import Card
from stream.engine import Arrays, Rows, Run
from stream.engines.lane import feature_shape
from stream.engines.slots import joined, no_rows
from stream.errors import OutOfMemory
from stream.frame import UInt16Array

LARGEST = 1 << 30
"""Frames at once while memory has never run out."""


class WholeFrames:
    """Computes batches in order, for a `HostPlan`.

    Parameters
    ----------
    run : callable
        `Engine.run`.
    card : Card
    maps : dict
        As in `Engine.plan`.
    remarks : list of str
        Of the engine.
    """

    def __init__(self, run: Run, card: Card, maps: Arrays, remarks: list[str]) -> None:
        self._run, self._maps, self._remarks = run, maps, remarks
        self._no_context = np.zeros(feature_shape(card, maps["offset"].shape), np.float32)
        self._context = self._no_context
        self._none, self._largest = no_rows(card), LARGEST

    def __call__(self, frames: UInt16Array, anew: bool) -> Rows:
        """Return the answer to a batch; as `Plan.submit` and `Plan.wait`."""
        if anew:
            self._context = self._no_context
            self._locate(frames[:1])
            self._context = np.repeat(self._context[1:], 2, axis=0)
            frames = frames[1:]
        return self._in_parts(frames) if len(frames) else self._none

    def _in_parts(self, frames: UInt16Array) -> Rows:
        """Locate as many frames at once as there is memory for."""
        found, at = [self._none], 0
        while at < len(frames):
            part = frames[at : at + self._largest]
            try:
                rows = self._locate(part)
            except OutOfMemory as fault:
                if len(part) == 1:
                    raise
                self._largest = len(part) // 2
                self._remarks.append(f"{fault.what}: from now on {self._largest} frames at once")
                continue
            found.append(Rows(rows.frame + at, rows.table))
            at += len(part)
        return joined(found)

    def _locate(self, frames: UInt16Array) -> Rows:
        outputs = self._run({"frames": frames, **self._maps, "context": self._context})
        self._context = np.asarray(outputs["context_out"], np.float32)
        return Rows(np.asarray(outputs["frame"], np.int64), np.asarray(outputs["table"], np.float32))
