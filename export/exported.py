"""An exported localizer, called like the module that it was: what is scored is the file that ships."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor

from export.graph import INPUTS
from export.static_rows import as_static, filled
from models.layers import OverFrames


class Exported:
    """A file in ONNX Runtime on one thread of the CPU.

    Parameters
    ----------
    path : Path
        Of either form; both are called like `DeployedLocalizer`.
    network : OverFrames
        Of which it was made: its shape matters, not its weights.
    """

    def __init__(self, path: Path, network: OverFrames) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self.network, self._session = network, onnxruntime.InferenceSession(path, options)
        self._static = "valid" in [port.name for port in self._session.get_inputs()]

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Take the inputs of the graph in order, return its outputs."""
        feed = {port.name: value.numpy() for port, value in zip(INPUTS, inputs, strict=True)}
        if not self._static:
            return tuple(torch.as_tensor(value) for value in self._session.run(None, feed))
        table, count, context = self._session.run(None, as_static(feed))
        frame, rows = filled(table, float(feed["threshold"]))
        return tuple(torch.as_tensor(value) for value in (frame, rows, np.asarray(count.sum()), context))
