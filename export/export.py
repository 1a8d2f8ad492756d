"""From a training, or a model that ships, to a file: network, card and recipe."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from export.background import DeployedBackground, describe_background, scores_background
from export.card import Card
from export.evaluate import THRESHOLDS, conditions_for, feed, scores
from export.exported import Exported
from export.graph import INPUTS, MULTIPLE_PX, OUTPUTS, columns
from export.parity import agreement
from export.phase import deployed_phase, describe_phase, scores_phase
from export.precision import Precision, in_eight_bits, in_half
from export.static_graph import STATIC_INPUTS, STATIC_OUTPUTS, deployed
from export.static_rows import as_static
from export.to_onnx import save, trace, write
from export.trained import Trained, from_model, from_training
from models.evaluation.dense import scene
from models.evaluation.report import USUAL_PHOTONS
from models.layers import OverFrames
from models.recipe import Recipe
from models.sample_space import SampleSpace
from models.systems import SYSTEMS
from models.systems.bgnet import BgNet
from models.train import SPOT

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


def describe(
    network: OverFrames, space: SampleSpace, recipe: Recipe, provenance: dict[str, Any], rows_per_block: int = 0
) -> Card:
    """Return the card of a localizer."""
    psf, kind = Path(recipe.psf).stem, recipe.size if recipe.system == "default" else recipe.system
    inputs, outputs = (STATIC_INPUTS, STATIC_OUTPUTS) if rows_per_block else (INPUTS, OUTPUTS)
    return Card(
        name=f"{psf}-{kind}",
        title=f"{psf} localizer, {kind}: three frames of context, EMCCD and sCMOS",
        inputs=inputs, outputs=outputs, columns=columns(network.dimensions),
        features=network.channels, stride=network.stride, look_ahead=1, multiple_px=MULTIPLE_PX,
        threshold=THRESHOLDS[network.dimensions], mac_per_pixel=mac_per_pixel(network), sample_space=space,
        provenance=provenance, rows_per_block=rows_per_block,
    )  # fmt: skip


def export(source: Path, out: Path, precision: Precision = "fp32", rows_per_block: int = 0) -> Card:
    """Write averaged weights as `out` (.onnx) with their card, and the spot beside it.

    Parameters
    ----------
    source : Path
        Folder of a training, or a localizer's `.onnx` file.
    out : Path
        The `.onnx` file to write.
    precision : {"fp32", "fp16", "int8"}
        Of a localizer's convolutions.
    rows_per_block : int
        Of a localizer: for a graph of known shapes; 0 for one whose table is as long as what is found.

    Raises
    ------
    ValueError
        Another form than the usual one of what is no localizer, or a file that no network can be made of.
    """
    trained = from_training(source) if source.is_dir() else from_model(source)
    kind = SYSTEMS[trained.recipe.system].kind
    if kind == "localizer":
        card = _localizer(trained, out, precision, rows_per_block)
    elif (precision, rows_per_block) == ("fp32", 0):
        card = {"phase": _phase, "background": _background}[kind](trained, out)
    else:
        raise ValueError(f"{trained.recipe.system} is exported in fp32 and as onnx only")
    if trained.spot:
        trained.spot.save(out.with_suffix(f".{SPOT}"))
    return card


def _localizer(trained: Trained, out: Path, precision: Precision, rows_per_block: int) -> Card:
    network, space = trained.network, trained.space
    assert isinstance(network, OverFrames)
    conditions, module = conditions_for(space, trained.spot), deployed(network, space)
    card = describe(network, space, trained.recipe, trained.provenance, rows_per_block)
    endings = (precision if precision != "fp32" else "", "static" if rows_per_block else "")
    card = replace(card, name="-".join((card.name, *filter(None, endings))), precision=precision)
    narrow = in_half(network) if precision == "fp16" else network
    model = trace(deployed(narrow, space, rows_per_block), card)
    frames, _ = scene(conditions, DENSITY_PER_UM2, USUAL_PHOTONS, FRAMES, SEED)
    if precision == "int8":
        names = [port.name for port in INPUTS]
        parts = [feed(module, part, conditions.camera, card.threshold) for part in np.array_split(frames, FEEDS)]
        feeds = [dict(zip(names, part, strict=True)) for part in parts]
        model = in_eight_bits(model, [as_static(one) for one in feeds] if rows_per_block else feeds)
    save(model, card, out)
    file = Exported(out, network)
    found = scores(file, conditions, card.threshold)
    beside = agreement(module, file, frames, conditions.camera, card.threshold)
    return save(model, replace(card, scores=found | {"beside_torch_float64": beside}), out)


def _phase(trained: Trained, out: Path) -> Card:
    module = deployed_phase(trained.network, trained.space, trained.recipe)
    card = describe_phase(module, trained.space, trained.recipe, trained.provenance)
    return write(module, replace(card, scores=scores_phase(module, trained.space, trained.recipe)), out)


def _background(trained: Trained, out: Path) -> Card:
    network = trained.network
    assert isinstance(network, BgNet)
    module = DeployedBackground(network, trained.recipe.patch_px)
    card = describe_background(module, trained.space, trained.recipe, trained.provenance)
    return write(module, replace(card, scores=scores_background(module, trained.space, trained.spot)), out)
