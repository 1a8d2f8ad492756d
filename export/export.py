"""From a training folder to the file that ships: network, card and recipe."""

from __future__ import annotations

import platform
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from export.background import DeployedBackground, describe_background, scores_background
from export.card import Card
from export.evaluate import THRESHOLDS, conditions_for, scores
from export.graph import INPUTS, MULTIPLE_PX, OUTPUTS, columns, deployed
from export.phase import deployed_phase, describe_phase, scores_phase
from export.to_onnx import write
from models.layers import OverFrames
from models.recipe import Recipe
from models.sample_space import SampleSpace
from models.systems import SYSTEMS
from models.systems.bgnet import BgNet
from models.train import SPOT, Trainer


def mac_per_pixel(network: OverFrames) -> int:
    """Multiply-accumulate operations per camera pixel and frame, each frame encoded once."""
    side = 64
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        features = network.encode(torch.zeros(1, side, side), torch.zeros(side, side))
        network.locate(features, features, features)
    return int(counter.get_total_flops()) // 2 // side**2


def describe(network: OverFrames, space: SampleSpace, recipe: Recipe, provenance: dict[str, Any]) -> Card:
    """Return the card of a localizer."""
    psf, kind = Path(recipe.psf).stem, recipe.size if recipe.system == "default" else recipe.system
    return Card(
        name=f"{psf}-{kind}",
        title=f"{psf} localizer, {kind}: three frames of context, EMCCD and sCMOS",
        inputs=INPUTS, outputs=OUTPUTS, columns=columns(network.dimensions),
        features=network.channels, stride=network.stride, look_ahead=1, multiple_px=MULTIPLE_PX,
        threshold=THRESHOLDS[network.dimensions], mac_per_pixel=mac_per_pixel(network), sample_space=space,
        provenance=provenance,
    )  # fmt: skip


def provenance(trainer: Trainer) -> dict[str, Any]:
    """Say how the weights came to be."""
    recipe = trainer.recipe
    return {
        "recipe": asdict(recipe),
        "command": recipe.command,
        "before": trainer.before,
        "steps": trainer.step,
        "samples": trainer.step * recipe.batch,
        "parameters": sum(p.numel() for p in trainer.averaged.parameters()),
        "device": "CPU, one thread" if trainer.device == "cpu" else trainer.device,
        "versions": {"python": platform.python_version(), "torch": version("torch"), "numpy": version("numpy")},
    }


def export_training(folder: Path, out: Path) -> Card:
    """Write the averaged weights of a training as `out` (.onnx) with its card, and the spot beside it.

    Parameters
    ----------
    folder : Path
        Of the training.
    out : Path
        The `.onnx` file to write.
    """
    trainer = Trainer.load(folder, "cpu")
    trainer.averaged.eval()
    by_kind = {"localizer": _localizer, "phase": _phase, "background": _background}
    card = by_kind[SYSTEMS[trainer.recipe.system].kind](trainer, out)
    if trainer.spot:
        trainer.spot.save(out.with_suffix(f".{SPOT}"))
    return card


def _localizer(trainer: Trainer, out: Path) -> Card:
    network = trainer.averaged
    assert isinstance(network, OverFrames)
    module = deployed(network, trainer.space)
    card = describe(network, trainer.space, trainer.recipe, provenance(trainer))
    found = scores(module, conditions_for(trainer.space, trainer.spot), card.threshold)
    return write(module, replace(card, scores=found), out)


def _phase(trainer: Trainer, out: Path) -> Card:
    module = deployed_phase(trainer.averaged, trainer.space, trainer.recipe)
    card = describe_phase(module, trainer.space, trainer.recipe, provenance(trainer))
    return write(module, replace(card, scores=scores_phase(module, trainer.space, trainer.recipe)), out)


def _background(trainer: Trainer, out: Path) -> Card:
    network = trainer.averaged
    assert isinstance(network, BgNet)
    module = DeployedBackground(network, trainer.recipe.patch_px)
    card = describe_background(module, trainer.space, trainer.recipe, provenance(trainer))
    return write(module, replace(card, scores=scores_background(module, trainer.space, trainer.spot)), out)
