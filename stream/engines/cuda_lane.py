"""A lane on a CUDA device for whatever puts its work into a stream: each batch size is a graph, replayed.

One stream, and everything on it in order:

valid in ─▶ frames in ─▶ compute ─▶ context_out to context ─▶ table and count out ─▶ event
            └─────────────── one graph for each place and size ─────────────────┘

Where a library captures its own work, its graph is "compute", and what is around it is put into the stream each time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from export.card import Card
from export.static_rows import BLOCK_PX
from stream.engine import Arrays
from stream.engines.buckets import BUCKETS
from stream.engines.lane import Filled, feature_shape
from stream.errors import EngineFault, OutOfMemory

if TYPE_CHECKING:  # the device is handed in: the lane itself needs no package
    from stream.engines.cuda import Cuda, Held, Pinned

    Kept = TypeVar("Kept", bound=Held)

WARM_UP = 3
"""Runs before a capture: libraries choose, load and reserve what they need in the first ones."""


class Computes(Protocol):
    """What computes the graph of a static model.

    Attributes
    ----------
    captures : bool
        It captures its own work: so the lane captures none of it.
    """

    captures: bool

    def ready(self, buckets: tuple[int, ...]) -> None:
        """Take the memory that these batch sizes need, in place of what was taken before. Raises OutOfMemory."""

    def bound(self, bucket: int, pointers: Mapping[str, int], stream: int) -> Callable[[], None]:
        """Return what puts the work of one batch into the stream.

        Parameters
        ----------
        bucket : int
            Frames of the batch.
        pointers : mapping of str to int
            Where each input and output of the card lies on the device.
        stream : int
        """

    def close(self) -> None:
        """Give all memory back. May be called more than once."""


def output_shapes(card: Card, shape: tuple[int, ...], bucket: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the outputs for so many frames of `shape` (y, x)."""
    down, across = (-(-side // BLOCK_PX) for side in shape)
    table = (bucket, down * across * card.rows_per_block, len(card.columns))
    return {"table": table, "count": (bucket,), "context_out": feature_shape(card, shape)}


@dataclass(frozen=True, slots=True)
class _Place:
    """Memory of one batch: pinned on the host, and on the device; and what puts a batch of each size in the stream."""

    host: dict[str, Pinned]
    device: dict[str, Held]
    valid: Held
    done: Held
    batches: dict[int, Callable[[], None]] = field(default_factory=dict)

    def pointers(self) -> dict[str, int]:
        """Return where the device finds its inputs and outputs that are of this place."""
        return {"valid": self.valid.handle} | {name: kept.handle for name, kept in self.device.items()}


class CudaLane:
    """A CUDA device, as `Lane` asks for it.

    Parameters
    ----------
    cuda : Cuda
    computes : Computes
        Closed with the lane.
    card : Card
        Of a static model.
    maps : dict
        As in `Engine.plan`.
    places : int
    remarks : list of str
        Gets a line if memory does not do for all batch sizes.

    Raises
    ------
    OutOfMemory
        It does not do for a single frame.
    EngineFault
        The device failed.
    """

    def __init__(
        self, cuda: Cuda, computes: Computes, card: Card, maps: Arrays, places: int, remarks: list[str]
    ) -> None:
        self._cuda, self._computes, self._card, self._shape = cuda, computes, card, maps["offset"].shape
        self._owned = ExitStack()
        self._stream: Held | None = None
        self._refuse_unfit(maps)
        for sizes in range(len(BUCKETS), 0, -1):
            self.buckets = BUCKETS[:sizes]
            try:
                self._make_ready(maps, places)
            except OutOfMemory as fault:
                self.close()
                lacking = fault
                continue
            except BaseException:
                self.close()
                raise
            if sizes < len(BUCKETS):
                more, most = BUCKETS[sizes], self.buckets[-1]
                remarks.append(f"the GPU has no memory for {more} frames at once: batches of {most}")
            return
        raise OutOfMemory(
            f"the GPU has no memory for one frame of {self._shape[0]} x {self._shape[1]} pixels",
            limit=lacking.limit, remedy="use a smaller ROI",
        ) from lacking  # fmt: skip

    def frames(self, place: int) -> NDArray[np.uint8]:
        """Return the memory of a place; as `Lane.frames`."""
        kept = self._places[place]
        self._cuda.wait(kept.done.handle)
        return kept.host["frames"].array

    def launch(self, place: int, bucket: int, valid: int) -> None:
        """Begin; as `Lane.launch`."""
        kept, stream = self._places[place], self._in_order()
        self._count_as_valid(kept, valid)
        kept.batches[bucket]()
        self._cuda.record(kept.done.handle, stream)

    def outcome(self, place: int) -> Filled:
        """Wait; as `Lane.outcome`."""
        kept = self._places[place]
        self._cuda.wait(kept.done.handle)
        return kept.host["table"].array, kept.host["count"].array

    def set_context(self, context: NDArray[np.generic]) -> None:
        """Take other features for those of the batch before; nothing is under way."""
        assert context.shape == feature_shape(self._card, self._shape), "features of other frames"
        self._fill(self._context, context)

    def context(self) -> NDArray[np.float32]:
        """Return the features of the last batch; nothing is under way."""
        with ExitStack() as used:
            kept = self._cuda.pinned(feature_shape(self._card, self._shape), np.float32)
            used.callback(kept.free)
            self._cuda.copy(kept.handle, self._context.handle, kept.array.nbytes, self._in_order())
            self._cuda.synchronize(self._in_order())
            return kept.array.copy()

    def close(self) -> None:
        """Free the device's memory. May be called more than once."""
        if self._stream is not None:
            with suppress(EngineFault):  # a device that is lost has nothing under way
                self._cuda.synchronize(self._stream.handle)
        self._stream = None
        self._computes.close()  # before the stream that it puts its work into
        self._owned.close()

    def _refuse_unfit(self, maps: Arrays) -> None:
        """Refuse what is too short, beyond which the device would read, and what it would take for other numbers."""
        for port in self._card.inputs:
            if port.name in maps:
                values = maps[port.name]
                assert values.shape == (self._shape if port.axes else ()), f"{port.name} is {values.shape}"
                assert values.dtype == np.dtype(port.dtype), f"{port.name} is {values.dtype}"

    def _make_ready(self, maps: Arrays, places: int) -> None:
        """Take all memory, and capture all sizes."""
        self._stream = self._keep(self._cuda.stream())
        self._computes.ready(self.buckets)
        self._numbers = self._keep(self._cuda.pinned((self.buckets[-1] + 1,), np.int64))
        self._numbers.array[:] = np.arange(self.buckets[-1] + 1)
        self._context = self._memory(feature_shape(self._card, self._shape), np.float32)
        self._context_out = self._memory(feature_shape(self._card, self._shape), np.float32)
        inputs = {name: self._memory(values.shape, values.dtype) for name, values in maps.items()}
        for name, values in maps.items():
            self._fill(inputs[name], values)
        shared = {name: kept.handle for name, kept in inputs.items()}
        shared |= {"context": self._context.handle, "context_out": self._context_out.handle}
        self._places = [self._place() for _ in range(places)]
        for place in self._places:
            for bucket in self.buckets:
                place.batches[bucket] = self._capture(place, bucket, shared | place.pointers())
        self._fill(self._context, np.zeros(feature_shape(self._card, self._shape), np.float32))

    def _place(self) -> _Place:
        sizes = self._sizes(self.buckets[-1])
        host = {name: self._keep(self._cuda.pinned(*size)) for name, size in sizes.items()}
        device = {name: self._memory(*size) for name, size in sizes.items()}
        return _Place(host, device, self._memory((), np.int64), self._keep(self._cuda.event()))

    def _sizes(self, bucket: int) -> dict[str, tuple[tuple[int, ...], type[np.generic]]]:
        """Return shape and dtype of what a batch is copied from and to."""
        outputs = output_shapes(self._card, self._shape, bucket)
        frames = (bucket, *self._shape, 2)
        return {"frames": (frames, np.uint8), "table": (outputs["table"], np.float32), "count": ((bucket,), np.int64)}

    def _capture(self, place: _Place, bucket: int, pointers: Mapping[str, int]) -> Callable[[], None]:
        """Return what puts a batch into the stream: a graph, unless its middle is one."""
        stream = self._in_order()
        work = partial(self._batch, place, bucket, self._computes.bound(bucket, pointers, stream))
        self._count_as_valid(place, bucket)
        for _ in range(WARM_UP):
            work()
        self._cuda.synchronize(stream)
        if self._computes.captures:
            return work
        return partial(self._cuda.launch, self._keep(self._cuda.captured(stream, work)), stream)

    def _batch(self, place: _Place, bucket: int, compute: Callable[[], None]) -> None:
        """Put everything but the number of frames that count into the stream."""
        copy, stream = self._cuda.copy, self._in_order()
        bytes_of = {name: _bytes(*size) for name, size in self._sizes(bucket).items()}
        copy(place.device["frames"].handle, place.host["frames"].handle, bytes_of["frames"], stream)
        compute()
        features = _bytes(feature_shape(self._card, self._shape), np.float32)
        copy(self._context.handle, self._context_out.handle, features, stream)
        for name in ("table", "count"):
            copy(place.host[name].handle, place.device[name].handle, bytes_of[name], stream)

    def _count_as_valid(self, place: _Place, valid: int) -> None:
        """Tell the device how many frames count.

        A place may be launched again before the device has read the number: so each number has memory of its own.
        """
        number = self._numbers.handle + _bytes((valid,), np.int64)
        self._cuda.copy(place.valid.handle, number, _bytes((), np.int64), self._in_order())

    def _fill(self, kept: Held, values: NDArray[np.generic]) -> None:
        """Copy values to the device, and wait."""
        with ExitStack() as used:
            host = self._cuda.pinned(values.shape, values.dtype)
            used.callback(host.free)
            host.array[...] = values
            self._cuda.copy(kept.handle, host.handle, host.array.nbytes, self._in_order())
            self._cuda.synchronize(self._in_order())

    def _memory(self, shape: tuple[int, ...], dtype: DTypeLike) -> Held:
        return self._keep(self._cuda.memory(_bytes(shape, dtype)))

    def _keep(self, kept: Kept) -> Kept:
        """Free it with the lane."""
        self._owned.callback(kept.free)
        return kept

    def _in_order(self) -> int:
        assert self._stream is not None, "the lane is closed"
        return self._stream.handle


def _bytes(shape: tuple[int, ...], dtype: DTypeLike) -> int:
    return int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
