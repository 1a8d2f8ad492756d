"""TensorRT by its own interface: a plan for the rig's frames, built once and kept, computed in CUDA graphs.

The parts: the plan on disk (`plan_cache.py`), its build (`tensorrt_build.py`), the device (`cuda.py`), TensorRT's work
on it (`tensorrt_context.py`) and the lane around that (`cuda_lane.py`). Here they meet.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import numpy as np
import tensorrt as trt
from numpy.typing import NDArray

from export.card import Card
from stream.engine import Arrays, Plan
from stream.engines.buckets import BUCKETS, bucket_of
from stream.engines.cards import refuse_unfit
from stream.engines.cuda import Cuda
from stream.engines.cuda_lane import CudaLane
from stream.engines.faults import fault_of
from stream.engines.lane import feature_shape
from stream.engines.onnx_runtime import OnnxRuntimeEngine
from stream.engines.plan_cache import PlanCache, key_of
from stream.engines.slots import SLOTS
from stream.engines.static_plan import StaticPlan
from stream.engines.tensorrt_build import FLAGS, REMEDY, Log, build, failed, input_shapes
from stream.engines.tensorrt_context import Contexts, refuse_other
from stream.errors import EngineFault, ModelError


def to_stderr(text: str) -> None:
    """Say something at once: a plan takes minutes, and whoever waits should know."""
    sys.stderr.write(f"{text}\n")


class TensorRtEngine:
    """Runs an exported localizer of known shapes with TensorRT.

    Parameters
    ----------
    model : Path
        An exported `.onnx` file, in fp32 or fp16.
    device : {"cuda"}
        The first that the driver shows; CUDA_VISIBLE_DEVICES says which one that is.
    threads : int
        Of no use here.
    precision : {"model"}
        That of the file.
    say : callable
        Told what takes long.
    folder : Path or None
        Where plans are kept; None for the usual one.

    Raises
    ------
    ModelError
        There is no driver or device, or the file is no localizer that TensorRT can compute.
    """

    def __init__(
        self, model: Path, device: str = "cuda", threads: int = 0, precision: str = "model",
        say: Callable[[str], None] = to_stderr, folder: Path | None = None,
    ) -> None:  # fmt: skip
        assert precision == "model", "the file states it"
        if device != "cuda":
            raise ModelError(f"[engine] device = {device!r}", limit="TensorRT: cuda", remedy='use device = "cuda"')
        self._cuda = Cuda()  # before anything of TensorRT is made, which ends the process where there is no driver
        self.card, self.remarks = _card_of(model), list[str]()
        self._model, self._say, self._log = model.read_bytes(), say, Log()
        self._cache = PlanCache(self.remarks, say, folder)
        self._runtime: trt.Runtime | None = trt.Runtime(self._log)
        self._engines: dict[tuple[int, ...], trt.ICudaEngine] = {}
        self._lane: CudaLane | None = None
        self.device = f"TensorRT {trt.__version__} on {self._cuda.facts().name}"

    def run(self, inputs: Mapping[str, NDArray[np.generic]]) -> Arrays:
        """Compute the outputs of the card from its inputs: for trying, since everything is made ready each time."""
        try:
            refuse_unfit(inputs, self.card)
            _refuse_unfit_batch(inputs, feature_shape(self.card, inputs["offset"].shape))
        except ValueError as error:
            raise fault_of(error, inputs, REMEDY) from error
        maps = {name: values for name, values in inputs.items() if name not in ("frames", "valid", "context")}
        contexts = self._contexts_for(maps["offset"].shape)
        with closing(CudaLane(self._cuda, contexts, self.card, maps, 1, self.remarks)) as lane:
            return _through(lane, inputs)

    def plan(self, maps: Arrays) -> Plan:
        """Make ready for frames of one shape; as `Engine.plan`."""
        self._end_plan()
        contexts = self._contexts_for(maps["offset"].shape)
        self._lane = CudaLane(self._cuda, contexts, self.card, maps, SLOTS, self.remarks)
        return StaticPlan(self._lane, self.card, maps)

    def close(self) -> None:
        """Free the device's memory."""
        self._end_plan()
        self._engines.clear()
        self._runtime = None

    def _end_plan(self) -> None:
        """Free what is made of an engine before the engine: TensorRT asks for that order."""
        if self._lane is not None:
            self._lane.close()
        self._lane = None

    def _contexts_for(self, shape: tuple[int, ...]) -> Contexts:
        runtime = self._runtime
        assert runtime is not None, "the engine is closed"
        if shape not in self._engines:
            self._engines.clear()  # weights of another shape would take memory for nothing
            engine = runtime.deserialize_cuda_engine(self._plan_for(shape))
            if engine is None:
                raise failed("TensorRT does not take the plan that it has built", self._log)
            refuse_other(engine, self.card, shape)
            self._engines[shape] = engine
        return Contexts(self._cuda, self._engines[shape], self.card, shape, self._log)

    def _plan_for(self, shape: tuple[int, ...]) -> bytes:
        """Return the plan for frames of `shape` (y, x): that of the cache, or a new one."""
        gpu, shapes = self._cuda.facts(), input_shapes(self.card, shape)
        device = {"TensorRT": trt.__version__, "GPU": gpu.name, "compute capability": gpu.compute_capability}
        device |= {"multiprocessors": gpu.multiprocessors, "driver": gpu.driver}
        model = {"ONNX file": hashlib.sha256(self._model).hexdigest(), "precision": self.card.precision}
        built = {"shapes": shapes, "batches": BUCKETS, "flags": FLAGS}
        timings = f"timings-{key_of(device)[:32]}.cache"

        def anew() -> bytes:
            size = f"{shape[0]} x {shape[1]}"
            self._say(f"building the TensorRT plan for {self.card.name}, {size}: this takes minutes, once")
            made = build(self._model, shapes, self._cache.kept(timings), self._log)
            self._cache.keep(timings, made.timings)
            return made.plan

        name = re.sub(r"[^\w.-]", "_", f"{self.card.name}-{shape[0]}x{shape[1]}")
        return self._cache.plan(name, device | model | built, anew)


def _card_of(model: Path) -> Card:
    """Return the card, as ONNX Runtime reads it. Raises ModelError for what TensorRT does not compute."""
    with closing(OnnxRuntimeEngine(model)) as file:
        card = file.card
    if not card.rows_per_block:
        raise ModelError(
            f"{model}: TensorRT computes localizers of known shapes, this is {card.title}",
            remedy=f"livesmlm export {model} --to tensorrt --out FILE",
        )
    if card.precision == "int8":
        raise ModelError(
            f"{model}: TensorRT takes no eight-bit numbers without sign, as this file has",
            remedy=f"livesmlm export {model} --to tensorrt --precision fp16 --out FILE",
        )
    return card


def _refuse_unfit_batch(inputs: Mapping[str, NDArray[np.generic]], features: tuple[int, ...]) -> None:
    """Raise ValueError for what would be read or written beyond its memory."""
    frames, context = len(inputs["frames"]), inputs["context"].shape
    if not 1 <= int(inputs["valid"]) <= frames <= BUCKETS[-1]:
        raise ValueError(f"{inputs['valid']} of {frames} frames count, there may be {BUCKETS[-1]}")
    if context != features:
        raise ValueError(f"context is {context}, of these frames it is {features}")


def _through(lane: CudaLane, inputs: Mapping[str, NDArray[np.generic]]) -> Arrays:
    """Compute one batch and wait for it."""
    frames = inputs["frames"]
    if len(frames) > lane.buckets[-1]:
        raise EngineFault(f"there are {len(frames)} frames", limit=f"the GPU has memory for {lane.buckets[-1]}")
    lane.set_context(inputs["context"])
    lane.frames(0)[: len(frames)] = frames
    lane.launch(0, bucket_of(len(frames), lane.buckets), int(inputs["valid"]))
    table, count = lane.outcome(0)
    outputs: Arrays = {"table": table[: len(frames)].copy(), "count": count[: len(frames)].copy()}
    return outputs | {"context_out": lane.context()}
