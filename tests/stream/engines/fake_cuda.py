"""A fake of `stream.engines.cuda` for machines without a device: nothing is done before somebody waits for it.

Memory of the fake device is memory of the host. What a copy reads from pinned memory is noted when it is asked for and
must still be the same when it is done: so nobody may overwrite what is under way. It proves order, not speed, and
nothing about CUDA itself.
"""

import ctypes
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import onnxruntime as ort

from export.card import Card
from stream.engines.cuda_lane import output_shapes
from stream.engines.lane import feature_shape
from stream.errors import EngineFault, OutOfMemory


class Facts(NamedTuple):
    name: str = "Fake GPU"
    compute_capability: str = "8.9"
    multiprocessors: int = 24
    driver: int = 13000


class Held:
    def __init__(self, cuda: "FakeCuda", kind: str, handle: int, size_bytes: int = 0) -> None:
        self.handle, self.size_bytes = handle, size_bytes
        self._cuda, self._kind = cuda, kind
        cuda.kept[handle] = self

    def free(self) -> None:
        self._cuda.kept.pop(self.handle, None)


class Pinned(Held):
    array: np.ndarray


class Graph(Held):
    work: list[Callable[[], Callable[[], None]]]


class FakeCuda:
    """As `Cuda`; `limit_bytes` is the memory of the device; an eager one does everything at once."""

    def __init__(self, limit_bytes: int = 1 << 40, eager: bool = False) -> None:
        self.limit_bytes, self.eager = limit_bytes, eager
        self.kept: dict[int, Held] = {}
        self.graphs = 0
        self.lost = False
        self._arrays: list[np.ndarray] = []  # never given back: who uses memory that is freed is told so
        self._queues: dict[int, list] = {}
        self._capturing: list | None = None
        self._handles = iter(range(1, 1 << 30))

    def facts(self) -> Facts:
        return Facts()

    def memory(self, size_bytes: int) -> Held:
        used = sum(held.size_bytes for held in self.kept.values() if type(held) is Held)
        if used + size_bytes > self.limit_bytes:
            raise OutOfMemory("the GPU has no memory left", limit="cudaErrorMemoryAllocation: out of memory")
        return Held(self, "memory", self._array(size_bytes).ctypes.data, size_bytes)

    def pinned(self, shape, dtype) -> Pinned:
        array = self._array(max(int(np.prod(shape)) * np.dtype(dtype).itemsize, 1), 0)
        held = Pinned(self, "pinned", array.ctypes.data, array.nbytes)
        held.array = array.view(dtype).reshape(shape)
        return held

    def stream(self) -> Held:
        held = Held(self, "stream", next(self._handles))
        self._queues[held.handle] = []
        return held

    def event(self) -> Held:
        return Held(self, "event", next(self._handles))

    def copy(self, to: int, source: int, size_bytes: int, stream: int) -> None:
        def begun() -> Callable[[], None]:
            self._holds(to, size_bytes)
            pinned = isinstance(self._holds(source, size_bytes), Pinned)
            noted = ctypes.string_at(source, size_bytes) if pinned else None

            def done() -> None:
                now = ctypes.string_at(source, size_bytes)
                assert noted is None or now == noted, "memory was overwritten while it was under way"
                ctypes.memmove(to, now, size_bytes)

            return done

        self.enqueue(stream, begun)

    def zero(self, address: int, size_bytes: int, stream: int) -> None:
        self._holds(address, size_bytes)
        self.enqueue(stream, lambda: lambda: ctypes.memset(address, 0, size_bytes))

    def record(self, event: int, stream: int) -> None:
        assert event in self.kept
        self._queues[stream].append(event)

    def wait(self, event: int) -> None:
        self._alive()
        for queue in self._queues.values():
            while event in queue:
                self._next(queue)

    def synchronize(self, stream: int) -> None:
        self._alive()
        assert self._capturing is None, "nobody may wait during a capture"
        while self._queues[stream]:
            self._next(self._queues[stream])

    def captured(self, stream: int, work: Callable[[], None]) -> Graph:
        assert not self._queues[stream], "work that comes before would be captured with it"
        self._capturing = []
        try:
            work()
            graph = Graph(self, "graph", next(self._handles))
            graph.work = self._capturing
        finally:
            self._capturing = None
        self.graphs += 1
        return graph

    def launch(self, graph: Graph, stream: int) -> None:
        assert graph.handle in self.kept, "the graph is freed"
        for begun in graph.work:
            self.enqueue(stream, begun)

    def enqueue(self, stream: int, begun: Callable[[], Callable[[], None]]) -> None:
        """Put work into a stream: `begun` is called at once, or with each launch of a graph; what it returns, later."""
        assert stream in self.kept, "the stream is freed"
        if self._capturing is not None:
            self._capturing.append(begun)
        elif self.eager:
            begun()()
        else:
            self._queues[stream].append(begun())

    def array(self, address: int, shape: tuple[int, ...], dtype) -> np.ndarray:
        """Return the device's memory at an address as an array."""
        size_bytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
        self._holds(address, size_bytes)
        return np.frombuffer((ctypes.c_uint8 * size_bytes).from_address(address), dtype).reshape(shape)

    def under_way(self) -> int:
        """Return how much waits to be done."""
        return sum(map(len, self._queues.values()))

    def _array(self, size_bytes: int, fill: int = 0xA5) -> np.ndarray:
        self._arrays.append(np.full(size_bytes, fill, np.uint8))
        return self._arrays[-1]

    def _holds(self, address: int, size_bytes: int) -> Held:
        for held in self.kept.values():
            if held.size_bytes and held.handle <= address and address + size_bytes <= held.handle + held.size_bytes:
                return held
        raise AssertionError("nobody holds this memory")

    def _next(self, queue: list) -> None:
        first = queue.pop(0)
        if callable(first):
            first()

    def _alive(self) -> None:
        if self.lost:
            raise EngineFault("CUDA failed: cudaErrorIllegalAddress: an illegal memory access was encountered")


def computed(
    cuda: FakeCuda, session: ort.InferenceSession, card: Card, shape: tuple[int, int], bucket: int,
    pointers: Mapping[str, int],
) -> Callable[[], None]:  # fmt: skip
    """Return what computes a batch with ONNX Runtime, from and to memory of the fake device."""
    features = feature_shape(card, shape)
    shapes = {"frames": (bucket, *shape, 2), "context": features, "excess": (), "threshold": (), "valid": ()}
    out = output_shapes(card, shape, bucket)

    def run() -> None:
        given = {
            port.name: cuda.array(pointers[port.name], shapes.get(port.name, shape), port.dtype) for port in card.inputs
        }
        for port, values in zip(card.outputs, session.run([port.name for port in card.outputs], given), strict=True):
            cuda.array(pointers[port.name], out[port.name], port.dtype)[...] = values

    return run
