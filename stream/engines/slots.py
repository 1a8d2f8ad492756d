"""Batches under way: an engine computes one while the answer to the one before is put to use.

A thread of the engine's own takes batches in order, so the features that go from one to the next never leave it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from export.card import Card
from stream.engine import Arrays, Rows
from stream.engines.lane import feature_shape
from stream.errors import EngineFault, OutOfMemory
from stream.frame import UInt16Array

SLOTS = 2
LARGEST = 1 << 30
"""Frames at once while memory has never run out."""


def no_rows(card: Card) -> Rows:
    """Return the rows of a batch in which nothing was found."""
    return Rows(np.empty(0, np.int64), np.empty((0, len(card.columns)), np.float32))


def refuse_too_many(count: int, rows: int, where: str) -> None:
    """Raise EngineFault if more was found than there are rows for."""
    if count > rows:
        raise EngineFault(
            f"the model found {count} localizations in {where}", limit=f"its table has {rows} rows for them",
            remedy="use a model exported with --to onnx, whose table is as long as what is found, or a sparser sample",
        )  # fmt: skip


class HostPlan:
    """A plan for engines that take arrays in the host's memory, and tables as long as what is found.

    Parameters
    ----------
    run : callable
        `Engine.run`.
    card : Card
    maps : dict
        As in `Engine.plan`.
    thread : ThreadPoolExecutor
        Of one thread; whoever made it ends it.
    remarks : list of str
        Of the engine.
    """

    slots = SLOTS

    def __init__(
        self, run: Callable[[Mapping[str, NDArray[np.generic]]], Arrays], card: Card, maps: Arrays,
        thread: ThreadPoolExecutor, remarks: list[str],
    ) -> None:  # fmt: skip
        self._run, self._maps, self._thread, self._remarks = run, maps, thread, remarks
        self._no_context = np.zeros(feature_shape(card, maps["offset"].shape), np.float32)
        self._context = self._no_context
        self._none = no_rows(card)
        self._largest = LARGEST
        self._frames: list[UInt16Array | None] = [None] * SLOTS
        self._answers: list[Future[Rows] | None] = [None] * SLOTS
        self._next = 0

    def submit(self, frames: UInt16Array, anew: bool) -> int:
        """Take a batch; as `Plan.submit`."""
        slot, self._next = self._next, (self._next + 1) % SLOTS
        assert self._answers[slot] is None, "wait for the oldest batch first"
        self._answers[slot] = self._thread.submit(self._compute, self._keep(slot, frames), anew)
        return slot

    def wait(self, slot: int) -> Rows:
        """Return the answer; as `Plan.wait`."""
        answer, self._answers[slot] = self._answers[slot], None
        assert answer is not None, "the slot is empty"
        return answer.result()

    def _keep(self, slot: int, frames: UInt16Array) -> UInt16Array:
        """Copy frames into the slot's own memory: the ring's goes back to the camera."""
        kept = self._frames[slot]
        if kept is None or len(kept) < len(frames):
            kept = self._frames[slot] = np.empty(frames.shape, np.uint16)
        kept[: len(frames)] = frames
        return kept[: len(frames)]

    def _compute(self, frames: UInt16Array, anew: bool) -> Rows:
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
        return Rows(np.concatenate([rows.frame for rows in found]), np.concatenate([rows.table for rows in found]))

    def _locate(self, frames: UInt16Array) -> Rows:
        outputs = self._run({"frames": frames, **self._maps, "context": self._context})
        self._context = np.asarray(outputs["context_out"], np.float32)
        return Rows(np.asarray(outputs["frame"], np.int64), np.asarray(outputs["table"], np.float32))
