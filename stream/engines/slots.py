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
from stream.errors import EngineFault
from stream.frame import UInt16Array

SLOTS = 2


def own_thread() -> ThreadPoolExecutor:
    """Return what computes an engine's batches; it begins with the first."""
    return ThreadPoolExecutor(1, thread_name_prefix="engine")


class HostPlan:
    """A plan for engines that take arrays in the host's memory.

    Parameters
    ----------
    run : callable
        `Engine.run`.
    card : Card
    maps : dict
        As in `Engine.plan`.
    thread : ThreadPoolExecutor
        Of one thread; whoever made it ends it.
    """

    slots = SLOTS

    def __init__(
        self, run: Callable[[Mapping[str, NDArray[np.generic]]], Arrays], card: Card, maps: Arrays,
        thread: ThreadPoolExecutor,
    ) -> None:  # fmt: skip
        self._run, self._maps, self._thread = run, maps, thread
        padded = [-(-side // card.multiple_px) * card.multiple_px // card.stride for side in maps["offset"].shape]
        self._no_context = np.zeros((2, card.features, *padded), np.float32)
        self._context = self._no_context
        self._none = Rows(np.empty(0, np.int64), np.empty((0, len(card.columns)), np.float32))
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
        return self._locate(frames) if len(frames) else self._none

    def _locate(self, frames: UInt16Array) -> Rows:
        outputs = self._run({"frames": frames, **self._maps, "context": self._context})
        self._context = np.asarray(outputs["context_out"], np.float32)
        count, rows = int(outputs["count"]), len(outputs["table"])
        if count > rows:
            raise EngineFault(
                f"the model found {count} localizations in {len(frames)} frames", limit=f"its table has {rows} rows",
                remedy="use a smaller [policy] batch_frames, or a model exported with more rows",
            )  # fmt: skip
        return Rows(np.asarray(outputs["frame"][:count], np.int64), np.asarray(outputs["table"][:count], np.float32))
