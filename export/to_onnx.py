"""torch -> one self-contained ONNX file with its card inside."""

from __future__ import annotations

import hashlib
import logging
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import onnx
import torch
from torch import Tensor, nn

from export.card import METADATA_KEY, Card

OPSET = 20


def weights_sha256(model: onnx.ModelProto) -> str:
    """SHA-256 over the weights' bytes in the order of their names."""
    digest = hashlib.sha256()
    for tensor in sorted(model.graph.initializer, key=lambda tensor: tensor.name):
        digest.update(tensor.name.encode())
        digest.update(onnx.numpy_helper.to_array(tensor).tobytes())
    return digest.hexdigest()


class Deployed(Protocol):
    """A module that can be exported."""

    def example(self) -> tuple[tuple[Tensor, ...], tuple[Any, ...]]:
        """Return inputs, and which of their axes are free."""


def trace(module: Deployed, card: Card) -> onnx.ModelProto:
    """Export with the ports of the card, and free axes where the module says so."""
    assert isinstance(module, nn.Module)
    example, shapes = module.example()
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # the exporter tells which other packages there are not
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of its own deprecated parts
        program = torch.onnx.export(
            module.eval(), example, dynamo=True, opset_version=OPSET, dynamic_shapes=shapes, verbose=False,
            input_names=[p.name for p in card.inputs], output_names=[p.name for p in card.outputs],
        )  # fmt: skip
    assert program is not None
    return without_origin(program.model_proto)


def without_origin(model: onnx.ModelProto) -> onnx.ModelProto:
    """Forget, in place, from which lines of which files on whose machine each part comes."""
    graph = model.graph
    for part in (*graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        part.ClearField("metadata_props")
    return model


def write(module: Deployed, card: Card, path: Path) -> Card:
    """Write `path` (.onnx) with the card inside and a copy of it beside (.json); returns the card as written."""
    return save(trace(module, card), card, path)


def save(model: onnx.ModelProto, card: Card, path: Path) -> Card:
    """Write a graph with its card; as `write`."""
    card = replace(card, weights_sha256=weights_sha256(model))
    onnx.helper.set_model_props(model, {METADATA_KEY: card.to_json()})
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)
    path.with_suffix(".json").write_text(card.to_json() + "\n")
    return card
