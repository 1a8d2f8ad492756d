"""From a training folder to the file that ships: network, card and recipe."""

from __future__ import annotations

import platform
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from export.card import Card
from export.evaluate import scores
from export.graph import COLUMNS, INPUTS, MULTIPLE_PX, OUTPUTS, DeployedLocalizer
from export.to_onnx import write
from models.sample_space import SampleSpace
from models.systems.localizer_2d import Localizer2D, stabilize
from models.train import Trainer

THRESHOLD = 0.5


def mac_per_pixel(network: Localizer2D) -> int:
    """Multiply-accumulate operations per camera pixel and frame, each frame encoded once."""
    side = 64
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        features = network.encode(stabilize(torch.zeros(1, side, side), torch.zeros(side, side)))
        network.locate(features, features, features)
    return int(counter.get_total_flops()) // 2 // side**2


def describe(network: Localizer2D, space: SampleSpace, provenance: dict[str, Any]) -> Card:
    """Return the card of a 2D localizer."""
    return Card(
        name="localizer-2d",
        title="2D localizer for data in focus: three frames of context, EMCCD and sCMOS",
        inputs=INPUTS, outputs=OUTPUTS, columns=COLUMNS,
        features=network.channels, look_ahead=1, multiple_px=MULTIPLE_PX, threshold=THRESHOLD,
        mac_per_pixel=mac_per_pixel(network), sample_space=space, provenance=provenance,
    )  # fmt: skip


def export_checkpoint(checkpoint: Path, out: Path) -> Card:
    """Write the averaged weights of a training as `out` (.onnx) with its card.

    Parameters
    ----------
    checkpoint : Path
        `checkpoint.pt` of a training folder.
    out : Path
        The `.onnx` file to write.
    """
    trainer = Trainer.load(checkpoint)
    provenance = {
        "recipe": {name: getattr(trainer.recipe, name) for name in trainer.recipe.__slots__},
        "command": f"livesmlm train localizer-2d --steps {trainer.recipe.steps} --out runs/localizer-2d",
        "steps": trainer.step,
        "samples": trainer.step * trainer.recipe.batch,
        "parameters": sum(p.numel() for p in trainer.averaged.parameters()),
        "device": "CPU, one thread" if trainer.device == "cpu" else trainer.device,
        "versions": {"python": platform.python_version(), "torch": version("torch"), "numpy": version("numpy")},
    }
    module, card = DeployedLocalizer(trainer.averaged), describe(trainer.averaged, trainer.space, provenance)
    return write(module, replace(card, scores=scores(module, card.threshold)), out)
