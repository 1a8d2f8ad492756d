"""Batches under way: an engine computes one while the answer to the one before is put to use.

A thread of the engine's own takes batches in order, so the features that go from one to the next never leave it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from export.card import Card
from stream.engine import Rows
from stream.errors import EngineFault
from stream.frame import UInt16Array

SLOTS = 2


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


def joined(found: Sequence[Rows]) -> Rows:
    """Return all rows in one."""
    return Rows(np.concatenate([rows.frame for rows in found]), np.concatenate([rows.table for rows in found]))


class HostPlan:
    """A plan for engines that take arrays in the host's memory, and tables as long as what is found.

    Parameters
    ----------
    locate : callable
        Takes a batch and whether it begins anew, returns the answer; called in order.
    thread : ThreadPoolExecutor
        Of one thread; whoever made it ends it.
    """

    slots = SLOTS

    def __init__(self, locate: Callable[[UInt16Array, bool], Rows], thread: ThreadPoolExecutor) -> None:
        self._locate, self._thread = locate, thread
        self._frames: list[UInt16Array | None] = [None] * SLOTS
        self._answers: list[Future[Rows] | None] = [None] * SLOTS
        self._next = 0

    def submit(self, frames: UInt16Array, anew: bool) -> int:
        """Take a batch; as `Plan.submit`."""
        slot, self._next = self._next, (self._next + 1) % SLOTS
        assert self._answers[slot] is None, "wait for the oldest batch first"
        self._answers[slot] = self._thread.submit(self._locate, self._keep(slot, frames), anew)
        return slot

    def wait(self, slot: int) -> Rows:
        """Return the answer; as `Plan.wait`."""
        answer, self._answers[slot] = self._answers[slot], None
        assert answer is not None, "the slot is empty"
        return answer.result()

    def _keep(self, slot: int, frames: UInt16Array) -> UInt16Array:
        """Copy frames into the slot's own memory: the ring's goes back to the camera."""
        kept = self._frames[slot]
        if kept is None or len(kept) < len(frames) or kept.shape[1:] != frames.shape[1:]:
            kept = self._frames[slot] = np.empty(frames.shape, np.uint16)
        kept[: len(frames)] = frames
        return kept[: len(frames)]
