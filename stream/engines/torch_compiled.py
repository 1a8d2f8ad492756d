"""The same network in torch, as a reference and for machines without the other runtimes: on CUDA in graphs.

The weights come out of the model file; nothing else of a training is needed. The only part of `stream` that imports
torch, and only if a rig asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import torch
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from export.card import METADATA_KEY, Card
from export.graph import DeployedLocalizer
from export.precision import in_half
from export.static_graph import deployed
from export.trained import distance_of, network_of
from stream.engine import Arrays, Plan
from stream.engines.cards import checked, refuse_unfit
from stream.engines.faults import fault_of
from stream.engines.plans import own_thread, plan_of
from stream.engines.slots import SLOTS
from stream.engines.static_plan import StaticPlan
from stream.engines.torch_lane import TorchLane
from stream.errors import ModelError


class TorchEngine:
    """Runs an exported localizer in torch.

    Parameters
    ----------
    model : Path
        An exported `.onnx` file, in fp32 or fp16.
    device : str
        cpu, cuda, or cuda with a number.
    threads : int
        On the CPU; 0 lets torch decide. It holds for the whole process.
    precision : {"model"}
        That of the file; float16 is computed as float32 with rounded weights on the CPU.

    Raises
    ------
    ModelError
        The file is no localizer of ours that torch can compute, or the device cannot be used.
    """

    def __init__(self, model: Path, device: str = "cpu", threads: int = 0, precision: str = "model") -> None:
        assert precision == "model", "the file states it"
        if device != "cpu" and not torch.cuda.is_available():
            raise ModelError(
                f"[engine] device = {device!r} is not usable: torch {torch.__version__} finds no CUDA device",
                remedy='install the driver and a torch built for CUDA, or use device = "cpu"',
            )
        self.card, module = _load(model, half=device != "cpu")
        if threads:
            torch.set_num_threads(threads)
        self.remarks: list[str] = []
        self._device = torch.device(device)
        self._module: DeployedLocalizer | None = module.to(self._device)
        self._thread, self._lane = own_thread(), None if device == "cpu" else TorchLane
        where = device if device == "cpu" else torch.cuda.get_device_name(self._device)
        self.device = f"torch {torch.__version__} on {where}"

    def run(self, inputs: Mapping[str, NDArray[np.generic]]) -> Arrays:
        """Compute the outputs of the card from its inputs."""
        assert self._module is not None, "the engine is closed"
        try:
            refuse_unfit(inputs, self.card)
            with torch.inference_mode():
                given = [torch.tensor(inputs[port.name], device=self._device) for port in self.card.inputs]
                found = [values.cpu().numpy() for values in self._module(*given)]
        except (RuntimeError, ValueError, MemoryError) as error:
            raise fault_of(error, inputs, _REMEDY) from error
        return dict(zip([port.name for port in self.card.outputs], found, strict=True))

    def plan(self, maps: Arrays) -> Plan:
        """Make ready for frames of one shape; as `Engine.plan`."""
        assert self._module is not None, "the engine is closed"
        if self._lane is None or not self.card.rows_per_block:
            return plan_of(self, maps, self._thread)
        return StaticPlan(self._lane(self._module, self.card, maps, SLOTS, self.remarks), self.card, maps)

    def close(self) -> None:
        """Free the network."""
        self._thread.shutdown()
        self._module = None


_REMEDY = 'try `livesmlm check` with [engine] name = "onnx-runtime", device = "cpu"'


def _load(path: Path, half: bool) -> tuple[Card, DeployedLocalizer]:
    try:
        model = onnx.load(path)
        onnx.checker.check_model(model)
    except (OSError, DecodeError, onnx.checker.ValidationError) as error:
        raise ModelError(
            f"cannot load model {path}: {error}", remedy="`livesmlm models` lists those that ship"
        ) from error
    ports = [port.name for port in model.graph.input], [port.name for port in model.graph.output]
    card = checked({entry.key: entry.value for entry in model.metadata_props}.get(METADATA_KEY), ports, path)
    if "count" not in ports[1] or card.precision == "int8":
        raise ModelError(
            f"{path}: torch computes localizers in fp32 and fp16, this is {card.title}, {card.precision}",
            remedy='use [engine] name = "onnx-runtime"',
        )
    try:
        network = network_of(model, card)
    except ValueError as error:
        raise ModelError(f"{path}: {error}", remedy='use [engine] name = "onnx-runtime"') from error
    narrow = in_half(network) if half and card.precision == "fp16" else network
    return card, deployed(narrow, card.sample_space, card.rows_per_block, distance_of(model)).eval()
