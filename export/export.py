"""From a training folder to the file that ships: network, card and recipe."""

from __future__ import annotations

import platform
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from export.background import DeployedBackground, describe_background, scores_background
from export.card import Card
from export.evaluate import THRESHOLDS, conditions_for, feed, scores
from export.exported import Exported
from export.graph import INPUTS, MULTIPLE_PX, OUTPUTS, columns, deployed
from export.parity import agreement
from export.phase import deployed_phase, describe_phase, scores_phase
from export.precision import Precision, in_eight_bits, in_half
from export.to_onnx import save, trace, write
from models.evaluation.dense import scene
from models.evaluation.report import USUAL_PHOTONS
from models.layers import OverFrames
from models.recipe import Recipe
from models.sample_space import SampleSpace
from models.systems import SYSTEMS
from models.systems.bgnet import BgNet
from models.train import SPOT, Trainer

DENSITY_PER_UM2, FRAMES, FEEDS, SEED = 0.5, 40, 8, 79_000
"""Frames that forms of a network are compared on, and from which eight bits take their ranges; beyond other seeds."""


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


def export_training(folder: Path, out: Path, precision: Precision = "fp32") -> Card:
    """Write the averaged weights of a training as `out` (.onnx) with its card, and the spot beside it.

    Parameters
    ----------
    folder : Path
        Of the training.
    out : Path
        The `.onnx` file to write.
    precision : {"fp32", "fp16", "int8"}
        Of a localizer's convolutions.

    Raises
    ------
    ValueError
        Another precision than fp32 of what is no localizer.
    """
    trainer = Trainer.load(folder, "cpu")
    trainer.averaged.eval()
    kind = SYSTEMS[trainer.recipe.system].kind
    if kind == "localizer":
        card = _localizer(trainer, out, precision)
    elif precision == "fp32":
        card = {"phase": _phase, "background": _background}[kind](trainer, out)
    else:
        raise ValueError(f"precision {precision}: {trainer.recipe.system} is exported in fp32")
    if trainer.spot:
        trainer.spot.save(out.with_suffix(f".{SPOT}"))
    return card


def _localizer(trainer: Trainer, out: Path, precision: Precision) -> Card:
    network = trainer.averaged
    assert isinstance(network, OverFrames)
    conditions, module = conditions_for(trainer.space, trainer.spot), deployed(network, trainer.space)
    card = describe(network, trainer.space, trainer.recipe, provenance(trainer))
    if precision != "fp32":
        card = replace(card, name=f"{card.name}-{precision}", precision=precision)
    narrow = in_half(network) if precision == "fp16" else network
    model = trace(deployed(narrow, trainer.space), card)
    frames, _ = scene(conditions, DENSITY_PER_UM2, USUAL_PHOTONS, FRAMES, SEED)
    if precision == "int8":
        names = [port.name for port in card.inputs]
        parts = [feed(module, part, conditions.camera, card.threshold) for part in np.array_split(frames, FEEDS)]
        model = in_eight_bits(model, [dict(zip(names, part, strict=True)) for part in parts])
    save(model, card, out)
    file = Exported(out, network)
    found = scores(file, conditions, card.threshold)
    beside = agreement(module, file, frames, conditions.camera, card.threshold)
    return save(model, replace(card, scores=found | {"beside_torch_float64": beside}), out)


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
