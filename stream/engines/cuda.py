"""A CUDA device through cuda-python: memory, one stream's work in order, and graphs of it; nothing of any network.

Addresses and handles are plain integers, as other libraries of the device take them.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from cuda.bindings import runtime as cudart
from numpy.typing import DTypeLike, NDArray

from stream.engines.cuda_driver import driver_version, refuse_older
from stream.errors import EngineFault, OutOfMemory

_REMEDY = "see `nvidia-smi` and the system's log for what became of the graphics card; restart the run"


class Facts(NamedTuple):
    """What a plan for a device depends on.

    Attributes
    ----------
    name : str
    compute_capability : str
    multiprocessors : int
    driver : int
        The CUDA version that the driver is made for, 1000 major + 10 minor.
    """

    name: str
    compute_capability: str
    multiprocessors: int
    driver: int


class Held:
    """Something that the device keeps until it is freed; freeing it again does nothing.

    Attributes
    ----------
    handle : int
        Address or handle.
    """

    def __init__(self, handle: int, free: Callable[[], object]) -> None:
        self.handle, self._free = handle, free
        self._kept = True

    def free(self) -> None:
        """Give it back."""
        if self._kept:
            self._kept = False
            self._free()


class Pinned(Held):
    """Memory of the host that the device copies from and to by itself.

    Attributes
    ----------
    array : ndarray
        Not to be touched once it is freed.
    """

    def __init__(self, handle: int, free: Callable[[], object], array: NDArray[Any]) -> None:
        super().__init__(handle, free)
        self.array = array


class Graph(Held):
    """Work of a stream, to be launched as a whole."""


class Cuda:
    """The first device that the driver shows; CUDA_VISIBLE_DEVICES says which one that is.

    Raises
    ------
    ModelError
        There is no usable driver or device.
    EngineFault
        The device cannot be used.
    """

    def __init__(self) -> None:
        self._driver = driver_version()
        refuse_older(self._driver, int(_checked(cudart.cudaRuntimeGetVersion())))
        _checked(cudart.cudaSetDevice(0))

    def facts(self) -> Facts:
        """Return what a plan for this device depends on."""
        properties = _checked(cudart.cudaGetDeviceProperties(0))
        capability = f"{properties.major}.{properties.minor}"
        name = properties.name.decode().rstrip("\0")
        return Facts(name, capability, int(properties.multiProcessorCount), self._driver)

    def memory(self, size_bytes: int) -> Held:
        """Return memory of the device. Raises OutOfMemory if there is none."""
        address = int(_checked(cudart.cudaMalloc(max(size_bytes, 1))))  # nothing at all would have no address
        return Held(address, lambda: _freed(cudart.cudaFree(address)))

    def pinned(self, shape: tuple[int, ...], dtype: DTypeLike) -> Pinned:
        """Return zeros in pinned memory of the host. Raises OutOfMemory if there is none."""
        size_bytes = max(int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize, 1)
        address = int(_checked(cudart.cudaMallocHost(size_bytes)))
        whole = np.ctypeslib.as_array((ctypes.c_uint8 * size_bytes).from_address(address))
        array: NDArray[Any] = whole.view(dtype).reshape(shape)
        array[...] = 0
        return Pinned(address, lambda: _freed(cudart.cudaFreeHost(address)), array)

    def stream(self) -> Held:
        """Return a stream that does not wait for the default one."""
        stream = int(_checked(cudart.cudaStreamCreateWithFlags(cudart.cudaStreamNonBlocking)))
        return Held(stream, lambda: _freed(cudart.cudaStreamDestroy(stream)))

    def event(self) -> Held:
        """Return an event; whoever waits for it sleeps, since camera and page share the processor's cores."""
        flags = cudart.cudaEventDisableTiming | cudart.cudaEventBlockingSync
        event = int(_checked(cudart.cudaEventCreateWithFlags(flags)))
        return Held(event, lambda: _freed(cudart.cudaEventDestroy(event)))

    def copy(self, to: int, source: int, size_bytes: int, stream: int) -> None:
        """Copy, in the stream's order, between memory of the device and pinned memory, either way."""
        kind = cudart.cudaMemcpyKind.cudaMemcpyDefault  # addresses tell by themselves whose they are
        _checked(cudart.cudaMemcpyAsync(to, source, size_bytes, kind, stream))

    def zero(self, address: int, size_bytes: int, stream: int) -> None:
        """Fill memory of the device with zeros, in the stream's order."""
        _checked(cudart.cudaMemsetAsync(address, 0, size_bytes, stream))

    def record(self, event: int, stream: int) -> None:
        """Let the event be over when the stream has come here."""
        _checked(cudart.cudaEventRecord(event, stream))

    def wait(self, event: int) -> None:
        """Wait until the event is over; at once if it was never recorded."""
        _checked(cudart.cudaEventSynchronize(event))

    def synchronize(self, stream: int) -> None:
        """Wait until the stream is empty."""
        _checked(cudart.cudaStreamSynchronize(stream))

    def captured(self, stream: int, work: Callable[[], None]) -> Graph:
        """Return what `work` puts into the stream, as a graph; nothing of it is computed.

        Raises
        ------
        EngineFault
            There is something in it that a graph cannot hold.
        """
        _checked(cudart.cudaStreamBeginCapture(stream, cudart.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal))
        try:
            work()
        except BaseException:
            _discard(cudart.cudaStreamEndCapture(stream))  # else the stream would record for ever
            raise
        drawn = int(_checked(cudart.cudaStreamEndCapture(stream)))
        try:
            graph = int(_checked(cudart.cudaGraphInstantiate(drawn, 0)))
        finally:
            _freed(cudart.cudaGraphDestroy(drawn))
        return Graph(graph, lambda: _freed(cudart.cudaGraphExecDestroy(graph)))

    def launch(self, graph: Graph, stream: int) -> None:
        """Put a graph into the stream."""
        _checked(cudart.cudaGraphLaunch(graph.handle, stream))


def _checked(answer: tuple[Any, ...]) -> Any:
    """Return what a call gave. Raises OutOfMemory or EngineFault if it failed."""
    status, *values = answer
    if status == cudart.cudaError_t.cudaSuccess:
        return values[0] if values else None
    cudart.cudaGetLastError()  # else libraries that share the device would take it for their own
    name, text = (ask(status)[1].decode() for ask in (cudart.cudaGetErrorName, cudart.cudaGetErrorString))
    if status == cudart.cudaError_t.cudaErrorMemoryAllocation:
        raise OutOfMemory("the GPU has no memory left", limit=f"{name}: {text}", remedy="use a smaller ROI")
    raise EngineFault(f"CUDA failed: {name}: {text}", remedy=_REMEDY)


def _discard(answer: tuple[Any, ...]) -> None:
    """Destroy the graph of a capture that failed; usually there is none."""
    status, graph = answer
    if status == cudart.cudaError_t.cudaSuccess and int(graph):
        _freed(cudart.cudaGraphDestroy(graph))
    cudart.cudaGetLastError()


def _freed(answer: tuple[Any, ...]) -> None:
    """Let a failure be: a device that is lost answers so to everything, and what was lost with it is free."""
    if answer[0] != cudart.cudaError_t.cudaSuccess:
        cudart.cudaGetLastError()
