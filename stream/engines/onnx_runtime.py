"""ONNX Runtime, on the CPU or on a CUDA device."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as failure

from export.card import METADATA_KEY
from stream.engine import Arrays, Plan
from stream.engines.cards import checked
from stream.engines.faults import fault_of
from stream.engines.plans import own_thread, plan_of
from stream.errors import ModelError

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
# Its own errors have no base of their own, so they are named; wrong feeds raise the built-in ones.
RUNTIME_ERRORS = (
    failure.Fail, failure.InvalidArgument, failure.InvalidGraph, failure.InvalidProtobuf, failure.NoSuchFile,
    failure.NotImplemented, failure.RuntimeException, failure.EPFail, RuntimeError, ValueError, MemoryError,
)  # fmt: skip


class OnnxRuntimeEngine:
    """Runs an exported model with ONNX Runtime.

    Parameters
    ----------
    model : Path
        An exported `.onnx` file.
    device : {"cpu", "cuda"}
    threads : int
        Threads of one operation on the CPU; 0 lets ONNX Runtime decide.
    precision : {"model"}
        That of the file.

    Raises
    ------
    ModelError
        The file is not a model of ours, or the device cannot run it.
    """

    def __init__(self, model: Path, device: str = "cpu", threads: int = 0, precision: str = "model") -> None:
        assert precision == "model", "the file states it"
        if device not in PROVIDERS:
            raise ModelError(
                f"[engine] device = {device!r}", limit=f"devices: {', '.join(PROVIDERS)}", remedy="use cpu"
            )
        session = _open(model, device, threads)
        ports = [port.name for port in session.get_inputs()], [port.name for port in session.get_outputs()]
        self._thread, self.remarks = own_thread(), list[str]()
        self.card = checked(session.get_modelmeta().custom_metadata_map.get(METADATA_KEY), ports, model)
        self._session: ort.InferenceSession | None = session
        self.device = f"ONNX Runtime {ort.__version__} on {device}"
        self._names = [port.name for port in self.card.outputs]

    def run(self, inputs: Mapping[str, NDArray[np.generic]]) -> Arrays:
        """Compute the outputs of the card from its inputs."""
        assert self._session is not None, "the engine is closed"
        try:
            return dict(zip(self._names, self._session.run(self._names, dict(inputs)), strict=True))
        except RUNTIME_ERRORS as error:
            raise fault_of(error, inputs, _REMEDY) from error

    def plan(self, maps: Arrays) -> Plan:
        """Make ready for frames of one shape; as `Engine.plan`."""
        return plan_of(self, maps, self._thread)

    def close(self) -> None:
        """Free the session."""
        self._thread.shutdown()
        self._session = None


_REMEDY = 'try `livesmlm check` with [engine] device = "cpu"; if that works, the device\'s driver or memory is at fault'


def _open(model: Path, device: str, threads: int) -> ort.InferenceSession:
    _refuse_other_than(PROVIDERS[device], ort.get_available_providers(), device)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Camera and page share the cores: threads that spin while they wait would take the camera's time.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = ort.InferenceSession(model, options, providers=[PROVIDERS[device]])
    except (*RUNTIME_ERRORS, OSError) as error:
        raise ModelError(
            f"cannot load model {model}: {error}", remedy="`livesmlm models` lists those that ship"
        ) from error
    _refuse_other_than(PROVIDERS[device], session.get_providers()[:1], device)  # it falls back to the CPU in silence
    return session


def _refuse_other_than(wanted: str, found: list[str], device: str) -> None:
    if wanted not in found:
        raise ModelError(
            f"[engine] device = {device!r} is not usable: ONNX Runtime gave {', '.join(found)}",
            remedy="pip install 'livesmlm[gpu]' and a CUDA driver, or use device = \"cpu\"",
        )
