"""A localizer in some runtime, called like the module that it was: what is scored is the file that ships."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor

from export.card import METADATA_KEY, Card
from export.graph import INPUTS
from export.static_rows import as_static, filled


class Shaped(Protocol):
    """What must be known of a network to call its file; every `OverFrames` says it, and every card."""

    channels: int
    stride: int
    dimensions: int


@dataclass(slots=True)
class OfCard:
    """The same by a card: for files whose network this version does not know."""

    channels: int
    stride: int
    dimensions: int

    @classmethod
    def of(cls, card: Card) -> OfCard:
        """Return what a card says."""
        return cls(card.features, card.stride, 3 if "z_nm" in card.columns else 2)


class Called:
    """A runtime that takes arrays and gives arrays, by name.

    Parameters
    ----------
    run : callable
        Computes a file of either form.
    card : Card
        Of either form; both are called like `DeployedLocalizer`.
    network : Shaped
        Of which it was made: its shape matters, not its weights.
    """

    def __init__(
        self, run: Callable[[Mapping[str, NDArray[np.generic]]], Mapping[str, Any]], card: Card, network: Shaped
    ) -> None:
        self._run, self._static, self.columns, self.network = run, card.rows_per_block > 0, card.columns, network

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Take the inputs of the graph in order, return its outputs."""
        feed = {port.name: value.numpy() for port, value in zip(INPUTS, inputs, strict=True)}
        if not self._static:
            return tuple(torch.as_tensor(np.asarray(value)) for value in self._run(feed).values())
        found = self._run(as_static(feed))
        frame, rows = filled(found["table"], float(feed["threshold"]))
        outputs = frame, rows, found["count"].sum(), found["context_out"]
        return tuple(torch.as_tensor(np.asarray(value)) for value in outputs)


def exported(path: Path, network: Shaped) -> Called:
    """Return a file in ONNX Runtime on one thread of the CPU."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options)
    names = [port.name for port in session.get_outputs()]

    def run(feed: Mapping[str, NDArray[np.generic]]) -> dict[str, Any]:
        return dict(zip(names, session.run(names, dict(feed)), strict=True))

    return Called(run, Card.from_json(session.get_modelmeta().custom_metadata_map[METADATA_KEY]), network)
