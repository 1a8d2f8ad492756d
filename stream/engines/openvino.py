"""OpenVINO on the CPU: float32, or bfloat16 where the processor has it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

# Importing OpenVINO sends a usage report over the network; where this package is missing, it reports nothing.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

import openvino
from numpy.typing import NDArray

from export.card import METADATA_KEY
from stream.engine import Arrays, Plan
from stream.engines.cards import checked, refuse_unfit
from stream.engines.faults import fault_of
from stream.engines.plans import own_thread, plan_of
from stream.errors import ModelError

PRECISIONS = {"model": "f32", "bf16": "bf16"}  # its own default is bf16 wherever the processor has it


class OpenVinoEngine:
    """Runs an exported model with OpenVINO.

    Parameters
    ----------
    model : Path
        An exported `.onnx` file.
    device : {"cpu"}
    threads : int
        0 lets OpenVINO decide.
    precision : {"model", "bf16"}

    Raises
    ------
    ModelError
        The file is not a model of ours, or the processor has no bfloat16.
    """

    def __init__(self, model: Path, device: str = "cpu", threads: int = 0, precision: str = "model") -> None:
        core = openvino.Core()
        if precision == "bf16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            raise ModelError(
                '[engine] precision = "bf16": this processor computes no bfloat16',
                limit="one with avx512_bf16 or amx_bf16", remedy='use precision = "model"',
            )  # fmt: skip
        hints: dict[str, object] = {"INFERENCE_PRECISION_HINT": PRECISIONS[precision]}
        if threads:
            hints["INFERENCE_NUM_THREADS"] = threads
        try:
            graph = core.read_model(model)
            compiled = core.compile_model(graph, device.upper(), hints)
        except RuntimeError as error:
            raise ModelError(
                f"cannot load model {model}: {error}", remedy="`livesmlm models` lists those that ship"
            ) from error
        ports = [port.any_name for port in graph.inputs], [port.any_name for port in graph.outputs]  # then renamed
        self._thread, self.remarks = own_thread(), list[str]()
        self.card = checked(_text(graph), ports, model)
        self._names = ports[1]
        self._request: openvino.InferRequest | None = compiled.create_infer_request()
        self.device = f"OpenVINO {openvino.__version__.split('-')[0]} on {device}, {PRECISIONS[precision]}"

    def run(self, inputs: Mapping[str, NDArray[np.generic]]) -> Arrays:
        """Compute the outputs of the card from its inputs."""
        assert self._request is not None, "the engine is closed"
        try:
            refuse_unfit(inputs, self.card)
            result = self._request.infer(dict(inputs))
        except (RuntimeError, ValueError, TypeError, MemoryError) as error:
            raise fault_of(error, inputs, _REMEDY) from error
        return {name: np.array(result[at]) for at, name in enumerate(self._names)}

    def plan(self, maps: Arrays) -> Plan:
        """Make ready for frames of one shape; as `Engine.plan`."""
        return plan_of(self, maps, self._thread)

    def close(self) -> None:
        """Free the model."""
        self._thread.shutdown()
        self._request = None


_REMEDY = 'try `livesmlm check` with [engine] name = "onnx-runtime"'


def _text(graph: openvino.Model) -> str | None:
    """Return the card as text; OpenVINO keeps an ONNX file's metadata under `framework`."""
    path = ["framework", METADATA_KEY]
    return str(graph.get_rt_info(path).value) if graph.has_rt_info(path) else None
