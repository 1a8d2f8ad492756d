"""torch -> one self-contained ONNX file with its card inside."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import replace
from pathlib import Path

import onnx
import torch

from export.card import METADATA_KEY, Card
from export.graph import INPUTS, OUTPUTS, DeployedLocalizer

OPSET = 20


def weights_sha256(model: onnx.ModelProto) -> str:
    """SHA-256 over the weights' bytes in the order of their names."""
    digest = hashlib.sha256()
    for tensor in sorted(model.graph.initializer, key=lambda tensor: tensor.name):
        digest.update(tensor.name.encode())
        digest.update(onnx.numpy_helper.to_array(tensor).tobytes())
    return digest.hexdigest()


def trace(module: DeployedLocalizer) -> onnx.ModelProto:
    """Export with free numbers of frames, rows and columns."""
    t, y, x = 4, 48, 40
    channels = module.network.channels
    maps = [torch.rand(y, x) + 0.5 for _ in range(3)]
    stride = module.network.stride
    context = torch.rand(2, channels, y // stride, x // stride)
    frames = torch.randint(90, 200, (t, y, x)).to(torch.uint16)
    example = (frames, *maps, torch.tensor(1.0), torch.tensor(0.5), context)
    y_dim, x_dim = torch.export.Dim("y", min=8), torch.export.Dim("x", min=8)
    fields = {2: torch.export.Dim.DYNAMIC, 3: torch.export.Dim.DYNAMIC}
    plane = {0: y_dim, 1: x_dim}
    shapes = ({0: torch.export.Dim("t", min=1), 1: y_dim, 2: x_dim}, plane, plane, plane, None, None, fields)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of its own deprecated parts
        program = torch.onnx.export(
            module.eval(), example, dynamo=True, opset_version=OPSET, dynamic_shapes=shapes, verbose=False,
            input_names=[p.name for p in INPUTS], output_names=[p.name for p in OUTPUTS],
        )  # fmt: skip
    assert program is not None
    return program.model_proto


def write(module: DeployedLocalizer, card: Card, path: Path) -> Card:
    """Write `path` (.onnx) with the card inside and a copy of it beside (.json); returns the card as written."""
    model = trace(module)
    card = replace(card, weights_sha256=weights_sha256(model))
    onnx.helper.set_model_props(model, {METADATA_KEY: card.to_json()})
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)
    path.with_suffix(".json").write_text(card.to_json() + "\n")
    return card
