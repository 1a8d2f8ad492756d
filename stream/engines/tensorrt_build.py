"""From an exported graph to a TensorRT plan: one optimization profile for each batch size, all else of fixed shape.

Decision: no precision flag is set, and TF32 is switched off. Context: the file states its precision, TensorRT 11 has no
other way, and TF32 would round what the file says is float32 to eleven bits. Consequence: speed is had by exporting in
fp16, where it can be measured what it costs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

import tensorrt as trt

from export.card import Card
from stream.engines.buckets import BUCKETS
from stream.engines.faults import NO_MEMORY
from stream.engines.lane import feature_shape
from stream.errors import LiveSMLMError, ModelError, OutOfMemory

FLAGS = ("strongly typed", "no TF32")
"""What a plan of ours is built with, in words, as one of the facts that it depends on."""
SIGNS = (*NO_MEMORY, "outofmemory", "could not be allocated")
"""What TensorRT and the device say when there is no memory, in small letters."""
Shapes = dict[str, tuple[int, ...]]


class Log(trt.ILogger):  # type: ignore[misc]
    """Keeps TensorRT's last errors, to be told with what failed; its other lines are for who builds TensorRT.

    TensorRT calls it from threads of its own, and has no use for an exception.
    """

    def __init__(self) -> None:
        trt.ILogger.__init__(self)
        self._errors: deque[str] = deque(maxlen=5)

    def log(self, severity: trt.ILogger.Severity, msg: str) -> None:
        """Take a line."""
        if severity in (trt.ILogger.Severity.ERROR, trt.ILogger.Severity.INTERNAL_ERROR):
            self._errors.append(msg)

    def told(self) -> str:
        """Return the last errors, oldest first, and forget them."""
        text = "; ".join(self._errors)
        self._errors.clear()
        return text or "TensorRT does not say why"


class Built(NamedTuple):
    """A plan, and what TensorRT has measured on the way, which makes the next build shorter."""

    plan: bytes
    timings: bytes


def input_shapes(card: Card, shape: tuple[int, ...]) -> Shapes:
    """Return the shapes of a static model's inputs for frames of `shape` (y, x); -1 for the batch size."""
    known = {"t": (-1,), "y": shape[:1], "x": shape[1:], "2": (2,)}
    shapes: Shapes = {"context": feature_shape(card, shape)}
    for port in card.inputs:
        if port.name not in shapes:
            shapes[port.name] = tuple(side for axis in port.axes for side in known[axis])
    return shapes


def in_batches_of(bucket: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a shape with the batch size in place of -1."""
    return tuple(bucket if side == -1 else side for side in shape)


def build(model: bytes, shapes: Mapping[str, tuple[int, ...]], timings: bytes, log: Log) -> Built:
    """Build a plan. It takes minutes, and all of the device.

    Parameters
    ----------
    model : bytes
        The `.onnx` file.
    shapes : mapping of str to tuple of int
        As `input_shapes` returns.
    timings : bytes
        Of a build before; empty if there was none.
    log : Log

    Raises
    ------
    ModelError
        TensorRT cannot compute the graph.
    OutOfMemory
        Nor build it, for lack of memory.
    """
    builder = trt.Builder(log)
    network = parsed(builder, model, log)
    fix_shapes(network, shapes)
    config = builder.create_builder_config()
    config.clear_flag(trt.BuilderFlag.TF32)
    add_profiles(builder, config, shapes, log)
    cache = add_timings(config, timings)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise failed("TensorRT cannot build a plan of this model", log)
    return Built(bytes(plan), bytes(cache.serialize()))


def parsed(builder: trt.Builder, model: bytes, log: Log) -> trt.INetworkDefinition:
    """Return the network of an ONNX file. Raises ModelError with everything that the parser has against it."""
    typed = trt.NetworkDefinitionCreationFlag.__members__.get("STRONGLY_TYPED")  # once it is the only way, it may go
    network = builder.create_network(0 if typed is None else 1 << int(typed))
    parser = trt.OnnxParser(network, log)
    if not parser.parse(model):
        errors = [parser.get_error(index) for index in range(parser.num_errors)]
        told = [f"{error.node_operator()} {error.node_name()}: {error.desc()}" for error in errors]
        raise ModelError(
            "TensorRT cannot read this model", limit="; ".join(told) or log.told(),
            remedy="export it again with `livesmlm export MODEL --to tensorrt --out FILE`",
        )  # fmt: skip
    return network


def fix_shapes(network: trt.INetworkDefinition, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Let only the batch size be free."""
    for index in range(network.num_inputs):
        tensor: trt.ITensor = network.get_input(index)
        tensor.shape = shapes[tensor.name]


def add_profiles(
    builder: trt.Builder, config: trt.IBuilderConfig, shapes: Mapping[str, tuple[int, ...]], log: Log
) -> None:
    """Add a profile for each batch size: smallest, usual and largest are the same, so kernels are chosen for it."""
    for bucket in BUCKETS:
        profile = builder.create_optimization_profile()
        for name, shape in shapes.items():
            if -1 in shape:
                exact = in_batches_of(bucket, shape)
                profile.set_shape(name, exact, exact, exact)
        if config.add_optimization_profile(profile) < 0:
            raise failed(f"TensorRT does not take batches of {bucket}", log)


def add_timings(config: trt.IBuilderConfig, timings: bytes) -> trt.ITimingCache:
    """Return the cache of timings that the build will use: a new one if that of before does not fit this device."""
    cache = config.create_timing_cache(timings)
    if cache is None or not config.set_timing_cache(cache, False):
        cache = config.create_timing_cache(b"")
        config.set_timing_cache(cache, False)
    return cache


def failed(what: str, log: Log, kind: type[LiveSMLMError] = ModelError) -> LiveSMLMError:
    """Return what to raise when TensorRT gives nothing back: with its own words, and OutOfMemory if it is that."""
    told = log.told()
    if any(sign in told.lower() for sign in SIGNS):
        return OutOfMemory(f"{what}: the GPU has no memory left", limit=told, remedy="use a smaller ROI")
    return kind(what, limit=told, remedy=REMEDY)


REMEDY = 'use [engine] name = "onnx-runtime", and report this with the lines above: it should not be'
