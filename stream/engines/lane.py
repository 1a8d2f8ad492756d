"""Where batches of known shape are computed: the memory they are put into, the features that go from one to the next.

A `StaticPlan` fills up batches, cuts them and reads the tables; what is special about a device is in its lane.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from export.card import Card
from stream.engine import Arrays, Run
from stream.engines.buckets import BUCKETS

Filled = tuple[NDArray[np.float32], NDArray[np.int64]]
"""`table` and `count` of a batch, as the card of a static graph says."""


def feature_shape(card: Card, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Return the shape of the features of two frames of `shape` (y, x)."""
    height, width = (-(-side // card.multiple_px) * card.multiple_px // card.stride for side in shape)
    return 2, card.features, height, width


class Lane(Protocol):
    """A device, ready for batches of known shape.

    Attributes
    ----------
    buckets : tuple of int
        Batch sizes that it is ready for, ascending.
    """

    buckets: tuple[int, ...]

    def frames(self, place: int) -> NDArray[np.uint8]:
        """Return the host memory (largest bucket, y, x, 2) that a batch is put into; nothing there is under way."""

    def launch(self, place: int, bucket: int, valid: int) -> None:
        """Begin with the first `bucket` frames of a place, of which `valid` count, and do not wait.

        Their features take the place of those of the batch before, also if its outcome is not asked for.
        """

    def outcome(self, place: int) -> Filled:
        """Wait for what was launched last in a place; valid until the next launch there. Raises EngineFault."""

    def close(self) -> None:
        """Free the device's memory."""


class HostLane:
    """A lane for engines that take arrays in the host's memory.

    Parameters
    ----------
    run : callable
        `Engine.run`.
    card : Card
    maps : dict
        As in `Engine.plan`.
    thread : ThreadPoolExecutor
        Of one thread.
    places : int
    """

    buckets: tuple[int, ...] = BUCKETS

    def __init__(
        self, run: Run, card: Card, maps: Arrays,
        thread: ThreadPoolExecutor, places: int,
    ) -> None:  # fmt: skip
        self._run, self._maps, self._thread = run, maps, thread
        shape = maps["offset"].shape
        self._context: NDArray[np.generic] = np.zeros(feature_shape(card, shape), np.float32)
        self._frames = [np.zeros((self.buckets[-1], *shape, 2), np.uint8) for _ in range(places)]
        self._outcomes: list[Future[Filled] | None] = [None] * places

    def frames(self, place: int) -> NDArray[np.uint8]:
        """Return the memory of a place; as `Lane.frames`."""
        return self._frames[place]

    def launch(self, place: int, bucket: int, valid: int) -> None:
        """Begin; as `Lane.launch`."""
        self._outcomes[place] = self._thread.submit(self._compute, self._frames[place][:bucket], valid)

    def outcome(self, place: int) -> Filled:
        """Wait; as `Lane.outcome`."""
        outcome = self._outcomes[place]
        assert outcome is not None, "nothing was launched"
        return outcome.result()

    def close(self) -> None:
        """Nothing is kept but memory."""

    def _compute(self, frames: NDArray[np.uint8], valid: int) -> Filled:
        inputs = {"frames": frames, **self._maps, "valid": np.asarray(valid, np.int64), "context": self._context}
        outputs = self._run(inputs)
        self._context = outputs["context_out"]
        return outputs["table"].astype(np.float32, copy=False), outputs["count"].astype(np.int64, copy=False)
