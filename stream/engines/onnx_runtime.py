"""ONNX Runtime, on the CPU or on a CUDA device."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as failure

from export.card import METADATA_KEY, Card, CardError
from stream.engine import Arrays
from stream.errors import EngineFault, ModelError

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
# Its own errors have no base of their own, so they are named; wrong feeds raise the built-in ones.
RUNTIME_ERRORS = (
    failure.Fail, failure.InvalidArgument, failure.InvalidGraph, failure.InvalidProtobuf, failure.NoSuchFile,
    failure.NotImplemented, failure.RuntimeException, failure.EPFail, RuntimeError, ValueError,
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

    Raises
    ------
    ModelError
        The file is not a model of ours, or the device cannot run it.
    """

    def __init__(self, model: Path, device: str = "cpu", threads: int = 0) -> None:
        if device not in PROVIDERS:
            raise ModelError(
                f"[engine] device = {device!r}", limit=f"devices: {', '.join(PROVIDERS)}", remedy="use cpu"
            )
        session = _open(model, device, threads)
        self.card = _card(session, model)
        self._session: ort.InferenceSession | None = session
        self.device = f"ONNX Runtime {ort.__version__} on {device}"
        self._names = [port.name for port in self.card.outputs]

    def run(self, inputs: Mapping[str, NDArray[np.generic]]) -> Arrays:
        """Compute the outputs of the card from its inputs."""
        assert self._session is not None, "the engine is closed"
        try:
            return dict(zip(self._names, self._session.run(self._names, dict(inputs)), strict=True))
        except RUNTIME_ERRORS as error:
            shapes = {name: f"{array.dtype}{array.shape}" for name, array in inputs.items()}
            raise EngineFault(f"inference failed: {error}", limit=f"inputs were {shapes}", remedy=_REMEDY) from error

    def close(self) -> None:
        """Free the session."""
        self._session = None


_REMEDY = 'try `livesmlm check` with [engine] device = "cpu"; if that works, the device\'s driver or memory is at fault'


def _open(model: Path, device: str, threads: int) -> ort.InferenceSession:
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
    if session.get_providers()[0] != PROVIDERS[device]:  # onnxruntime falls back to the CPU without raising
        raise ModelError(
            f"[engine] device = {device!r} is not usable: ONNX Runtime gave {session.get_providers()[0]}",
            remedy="pip install 'livesmlm[gpu]' and a CUDA driver, or use device = \"cpu\"",
        )
    return session


def _card(session: ort.InferenceSession, model: Path) -> Card:
    text = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
    if text is None:
        raise ModelError(f"{model} carries no LiveSMLM card", remedy="export it with `livesmlm export`")
    try:
        card = Card.from_json(text)
    except CardError as error:
        raise ModelError(f"{model}: {error}", remedy="export the model again with this version") from error
    wanted = [port.name for port in card.inputs], [port.name for port in card.outputs]
    found = [port.name for port in session.get_inputs()], [port.name for port in session.get_outputs()]
    if wanted != found:
        raise ModelError(
            f"{model}: the card names ports {wanted}, the graph has {found}", remedy="export the model again"
        )
    return card
