"""The forms in which a localizer ships: float32, convolutions in float16, or convolutions in eight bits.

Calibration, scores and decoding stay in float32 in each of them: counts and pixel positions need more than eleven bits.
So do, in eight bits, the convolution that sees the counts and the last two, on which positions hang.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from torch import nn

from models.layers import OverFrames

Precision = Literal["fp32", "fp16", "int8"]
Feed = dict[str, NDArray[np.generic]]
FIRST_EXACT, LAST_EXACT = 1, 2
"""Convolutions that keep float32, from either end."""


def in_half(network: OverFrames) -> OverFrames:
    """Return a copy whose convolutions, and what is between them, are in float16; the original stays as it is."""
    narrow = deepcopy(network).half()
    for layer in narrow.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_pre_hook(lambda _, inputs: tuple(x.to(torch.float16) for x in inputs))
    return narrow


def in_eight_bits(model: onnx.ModelProto, feeds: Sequence[Feed]) -> onnx.ModelProto:
    """Return a model whose convolutions compute in eight bits (weights by channel; quantize and dequantize nodes).

    Parameters
    ----------
    model : onnx.ModelProto
        In float32.
    feeds : sequence of dict
        Inputs from which the range of each tensor is taken.
    """
    convolutions = [node.name for node in model.graph.node if node.op_type == "Conv"]
    with TemporaryDirectory() as folder, _quiet():
        out = Path(folder) / "model.onnx"
        quantize_static(
            model, out, _Feeds(feeds), quant_format=QuantFormat.QDQ, per_channel=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, op_types_to_quantize=["Conv"],
            nodes_to_exclude=convolutions[:FIRST_EXACT] + convolutions[-LAST_EXACT:],
        )  # fmt: skip
        return onnx.load(out)


@contextmanager
def _quiet() -> Iterator[None]:
    """Leave out that the quantizer asks for a shape inference that our graphs do not need."""
    log, level = logging.getLogger(), logging.getLogger().level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)


class _Feeds(CalibrationDataReader):  # type: ignore[misc]
    """Inputs one after the other, as the quantizer asks for them."""

    def __init__(self, feeds: Sequence[Feed]) -> None:
        self._left: Iterator[Feed] = iter(feeds)

    def get_next(self) -> Feed | None:
        """Return the next inputs; None when there are no more."""
        return next(self._left, None)
