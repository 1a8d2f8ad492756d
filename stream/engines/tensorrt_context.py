"""What puts TensorRT's work into a stream: one execution context for each graph that is captured.

Decision: contexts share memory for what is between their layers. Context: a graph remembers a context as it was when
it was captured, so each has one of its own, and ten times the memory would be had for nothing. Consequence: they must
all run on one stream, as a `CudaLane` does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import tensorrt as trt

from export.card import Card
from stream.engines.buckets import BUCKETS
from stream.engines.cuda_lane import output_shapes
from stream.engines.tensorrt_build import Log, Shapes, failed, in_batches_of, input_shapes
from stream.errors import EngineFault, ModelError

if TYPE_CHECKING:  # the device is handed in
    from stream.engines.cuda import Cuda, Held


class Contexts:
    """Contexts of one TensorRT engine, as `Computes` of a lane.

    Parameters
    ----------
    cuda : Cuda
    engine : trt.ICudaEngine
    card : Card
    shape : (int, int)
        Of a frame: y, x.
    log : Log
        Of the engine's runtime.
    """

    captures = False

    def __init__(self, cuda: Cuda, engine: trt.ICudaEngine, card: Card, shape: tuple[int, ...], log: Log) -> None:
        self._cuda, self._engine, self._log = cuda, engine, log
        self._card, self._shape, self._inputs = card, shape, input_shapes(card, shape)
        self._contexts: list[trt.IExecutionContext] = []
        self._scratch: Held | None = None
        self._scratch_bytes = 0

    def ready(self, buckets: tuple[int, ...]) -> None:
        """Take memory for these batch sizes; as `Computes.ready`."""
        self.close()
        profiles = [BUCKETS.index(bucket) for bucket in buckets]
        self._scratch_bytes = max(self._engine.get_device_memory_size_for_profile_v2(index) for index in profiles)
        self._scratch = self._cuda.memory(self._scratch_bytes)

    def bound(self, bucket: int, pointers: Mapping[str, int], stream: int) -> Callable[[], None]:
        """Make a context for one batch size and place; as `Computes.bound`."""
        context = self._engine.create_execution_context(trt.ExecutionContextAllocationStrategy.USER_MANAGED)
        if context is None:
            raise failed("TensorRT cannot make a context", self._log, EngineFault)
        self._prepare(context, bucket, stream)
        for name, address in pointers.items():
            if not context.set_tensor_address(name, address):
                raise failed(f"TensorRT does not take memory for {name}", self._log, EngineFault)
        self._refuse_unexpected(context, bucket)
        self._contexts.append(context)
        return partial(self._enqueue, context, stream)

    def close(self) -> None:
        """Give contexts and memory back; as `Computes.close`."""
        self._contexts.clear()
        if self._scratch is not None:
            self._scratch.free()
        self._scratch = None

    def _prepare(self, context: trt.IExecutionContext, bucket: int, stream: int) -> None:
        """Give it profile, shapes and memory, in this order: what it needs of the last depends on the others."""
        assert self._scratch is not None, "no memory was asked for"
        if not context.set_optimization_profile_async(BUCKETS.index(bucket), stream):
            raise failed(f"TensorRT has no profile for {bucket} frames", self._log, EngineFault)
        for name, shape in self._inputs.items():
            if -1 in shape and not context.set_input_shape(name, in_batches_of(bucket, shape)):
                raise failed(f"TensorRT does not take {name} of {bucket} frames", self._log, EngineFault)
        context.set_device_memory(self._scratch.handle, self._scratch_bytes)

    def _refuse_unexpected(self, context: trt.IExecutionContext, bucket: int) -> None:
        """Raise EngineFault if outputs are of other shapes than the memory for them."""
        if lacking := context.infer_shapes():
            raise EngineFault(f"TensorRT does not know the shapes of {', '.join(lacking)}")
        for name, shape in output_shapes(self._card, self._shape, bucket).items():
            found = tuple(context.get_tensor_shape(name))
            if found != shape:
                raise EngineFault(f"TensorRT would write {name} as {found}", limit=f"there is memory for {shape}")

    def _enqueue(self, context: trt.IExecutionContext, stream: int) -> None:
        if not context.execute_async_v3(stream):
            raise failed("inference failed", self._log, EngineFault)


def refuse_other(engine: trt.ICudaEngine, card: Card, shape: tuple[int, ...]) -> None:
    """Raise ModelError if an engine is not of this card and frames of `shape` (y, x), for our batch sizes."""
    wanted = _wanted(card, input_shapes(card, shape))
    names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
    found = {name: _described(engine, name) for name in names}
    wrong = [f"{name} is {found.get(name)}, not {what}" for name, what in wanted.items() if found.get(name) != what]
    wrong += [f"{name} is not of the model" for name in found.keys() - wanted.keys()]
    for name, sides in input_shapes(card, shape).items():
        if not wrong and -1 in sides:
            profiles = range(engine.num_optimization_profiles)
            most = [tuple(engine.get_tensor_profile_shape(name, index)[2]) for index in profiles]
            if most != [in_batches_of(bucket, sides) for bucket in BUCKETS]:
                wrong.append(f"{name} is for {most}")
    if wrong:
        raise ModelError(f"the TensorRT plan is not of this model: {'; '.join(wrong)}", remedy="report this")


def _wanted(card: Card, inputs: Shapes) -> dict[str, str]:
    """Say what each tensor should be, in the words of `_described`."""
    wanted = {port.name: f"an input in device memory of {port.dtype}{inputs[port.name]}" for port in card.inputs}
    return wanted | {port.name: f"an output in device memory of {port.dtype}" for port in card.outputs}


def _described(engine: trt.ICudaEngine, name: str) -> str:
    """Say what a tensor is; what is read on the host to find out shapes cannot be in a graph of the device."""
    outside = engine.get_tensor_location(name) == trt.TensorLocation.HOST or engine.is_shape_inference_io(name)
    where = "host" if outside else "device"
    dtype = np.dtype(trt.nptype(engine.get_tensor_dtype(name))).name
    if engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT:
        return f"an input in {where} memory of {dtype}{tuple(engine.get_tensor_shape(name))}"
    return f"an output in {where} memory of {dtype}"
