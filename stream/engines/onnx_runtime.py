"""ONNX Runtime, on the CPU or on a CUDA device.

On CUDA, models of known shapes are computed in a lane (`onnx_cuda.py`): bound memory, one stream, CUDA graphs.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from export.card import METADATA_KEY
from stream.engine import Arrays, Plan
from stream.engines.cards import checked
from stream.engines.cuda_driver import driver_version
from stream.engines.faults import fault_of
from stream.engines.lane import Lane
from stream.engines.onnx_providers import PROVIDERS, REMEDY, RUNTIME_ERRORS
from stream.engines.plans import own_thread, plan_of
from stream.engines.slots import SLOTS
from stream.engines.static_plan import StaticPlan
from stream.engines.threaded_lane import ThreadedLane
from stream.errors import ModelError


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
        self._lane: ThreadedLane | None = None
        self.card = checked(session.get_modelmeta().custom_metadata_map.get(METADATA_KEY), ports, model)
        self._session: ort.InferenceSession | None = session
        self._model, self._on_cuda = model, device == "cuda"
        self.device = f"ONNX Runtime {ort.__version__} on {device}"
        self._names = [port.name for port in self.card.outputs]

    def run(self, inputs: Mapping[str, NDArray[np.generic]]) -> Arrays:
        """Compute the outputs of the card from its inputs."""
        assert self._session is not None, "the engine is closed"
        try:
            return dict(zip(self._names, self._session.run(self._names, dict(inputs)), strict=True))
        except RUNTIME_ERRORS as error:
            raise fault_of(error, inputs, REMEDY) from error

    def plan(self, maps: Arrays) -> Plan:
        """Make ready for frames of one shape; as `Engine.plan`."""
        assert self._session is not None, "the engine is closed"
        if not self._on_cuda:
            return plan_of(self, maps, self._thread)
        if not self.card.rows_per_block:
            self.remarks.append(
                f"{self.card.name} has a table as long as what is found, so it is computed without CUDA graphs: "
                f"`livesmlm export {self.card.name} --to tensorrt` writes the form that can be"
            )
            return plan_of(self, maps, self._thread)
        self._end_lane()
        self._lane = ThreadedLane(partial(self._cuda_lane, maps), self._thread, SLOTS)
        return StaticPlan(self._lane, self.card, maps)

    def close(self) -> None:
        """Free the session."""
        self._end_lane()
        self._thread.shutdown()
        self._session = None

    def _cuda_lane(self, maps: Arrays) -> Lane:
        try:
            from stream.engines.cuda import Cuda
        except ModuleNotFoundError as error:
            raise ModelError(f"[engine] device = 'cuda': {error.name} is not installed", remedy=_GPU) from error
        from stream.engines.cuda_lane import CudaLane
        from stream.engines.onnx_cuda import OnnxRuntimeComputes

        assert self._session is not None
        axes = {port.name: port.shape for port in self._session.get_inputs()}
        computes = OnnxRuntimeComputes(self._model, self.card, axes, maps["offset"].shape)
        return CudaLane(Cuda(), computes, self.card, maps, SLOTS, self.remarks)

    def _end_lane(self) -> None:
        if self._lane is not None:
            self._lane.close()
        self._lane = None


_GPU = "pip install 'livesmlm[gpu]', or use device = \"cpu\""


def _open(model: Path, device: str, threads: int) -> ort.InferenceSession:
    provider, settings = PROVIDERS[device]
    if device == "cuda":
        _refuse_other_than(provider, ort.get_available_providers())
        driver_version()
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Camera and page share the cores: threads that spin while they wait would take the camera's time.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = ort.InferenceSession(model, options, providers=[(provider, settings)])
    except (*RUNTIME_ERRORS, OSError) as error:
        raise ModelError(
            f"cannot load model {model}: {error}", remedy="`livesmlm models` lists those that ship"
        ) from error
    if device == "cuda":
        _refuse_other_than(provider, session.get_providers()[:1])  # it falls back to the CPU in silence
    return session


def _refuse_other_than(wanted: str, found: list[str]) -> None:
    if wanted in found:
        return
    try:
        version("onnxruntime-gpu")
        remedy = "pip install --force-reinstall --no-deps onnxruntime-gpu: onnxruntime was installed over it"
    except PackageNotFoundError:
        remedy = _GPU
    raise ModelError(
        f"[engine] device = 'cuda' is not usable: ONNX Runtime {ort.__version__} gave {', '.join(found)}", remedy=remedy
    )
