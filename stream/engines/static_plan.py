"""Batches under way on a lane: filled up to a size that it is ready for, cut where they are larger, read into rows."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from export.card import Card
from export.static_rows import as_bytes, filled
from stream.engine import Arrays, Rows
from stream.engines.buckets import bucket_of
from stream.engines.lane import Lane
from stream.engines.slots import SLOTS, joined, no_rows, refuse_too_many
from stream.errors import EngineFault
from stream.frame import UInt16Array


@dataclass(slots=True)
class _Batch:
    """A batch that is under way: rows that are known, and why it failed if it did."""

    rows: list[Rows] = field(default_factory=list)
    fault: EngineFault | None = None


@dataclass(frozen=True, slots=True)
class _Piece:
    """What is in a place of the lane: `valid` frames of a batch; its first row is of frame `first` of the answer."""

    batch: _Batch
    place: int
    first: int
    valid: int


class StaticPlan:
    """A plan for graphs of known shapes.

    Parameters
    ----------
    lane : Lane
        With `SLOTS` places.
    card : Card
    maps : dict
        As in `Engine.plan`.
    """

    slots = SLOTS

    def __init__(self, lane: Lane, card: Card, maps: Arrays) -> None:
        self._lane, self._shape, self._threshold = lane, maps["offset"].shape, float(maps["threshold"])
        self._none = no_rows(card)
        self._batches: list[_Batch | None] = [None] * SLOTS
        self._pieces: deque[_Piece] = deque()
        self._slot = self._place = 0

    def submit(self, frames: UInt16Array, anew: bool) -> int:
        """Take a batch; as `Plan.submit`, but what is larger than the lane's largest waits for its own first part."""
        slot, self._slot = self._slot, (self._slot + 1) % SLOTS
        assert self._batches[slot] is None, "wait for the oldest batch first"
        batch = self._batches[slot] = _Batch()
        if frames.shape[1:] != self._shape:
            batch.fault = EngineFault(
                f"inference failed: frames are {frames.dtype}{frames.shape}", limit=f"(t, y, x) with y, x {self._shape}"
            )
            return slot
        largest = self._lane.buckets[-1]
        for first in range(0, len(frames), largest):
            self._launch(batch, first - int(anew), frames[first : first + largest])
        return slot

    def wait(self, slot: int) -> Rows:
        """Return the answer; as `Plan.wait`."""
        batch, self._batches[slot] = self._batches[slot], None
        assert batch is not None, "the slot is empty"
        while any(piece.batch is batch for piece in self._pieces):
            self._collect()
        if batch.fault is not None:
            raise batch.fault
        return joined([self._none, *batch.rows])

    def _launch(self, batch: _Batch, first: int, frames: UInt16Array) -> None:
        place, self._place = self._place, (self._place + 1) % SLOTS
        while any(piece.place == place for piece in self._pieces):
            self._collect()
        self._lane.frames(place)[: len(frames)] = as_bytes(frames)
        if first < 0:  # it begins anew; once alone: so the features before the first frame are its own
            self._lane.launch(place, self._lane.buckets[0], 1)
        self._lane.launch(place, bucket_of(len(frames), self._lane.buckets), len(frames))
        self._pieces.append(_Piece(batch, place, first, len(frames)))

    def _collect(self) -> None:
        """Read the oldest piece."""
        piece = self._pieces.popleft()
        try:
            table, counts = self._lane.outcome(piece.place)
            frame, rows = filled(table[: piece.valid], self._threshold)
            kept = np.bincount(frame, minlength=piece.valid)
            for count, there in zip(counts.tolist(), kept.tolist(), strict=False):
                refuse_too_many(count, there, "a frame")
        except EngineFault as fault:
            piece.batch.fault = fault
            return
        here = frame + piece.first >= 0  # there is no frame before a batch that begins anew
        piece.batch.rows.append(Rows(frame[here] + piece.first, rows[here]))
