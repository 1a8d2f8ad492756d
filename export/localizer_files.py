"""Localizers as files: three frames or single ones, in every precision and form; what their rows are worth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from export.card import Card
from export.evaluate import THRESHOLDS, feed, scores, threshold_of
from export.exported import exported
from export.graph import INPUTS, MULTIPLE_PX, OUTPUTS, columns
from export.localizers import as_localizer
from export.novelty import learned
from export.parity import Reference
from export.points import DeployedPoints, describe_points
from export.precision import Feed, Precision, in_eight_bits, in_half
from export.reach import reach_px
from export.static_graph import STATIC_INPUTS, STATIC_OUTPUTS, deployed
from export.static_rows import as_static
from export.to_onnx import save, trace
from export.trained import Trained
from export.voxels import DeployedVoxels, describe_voxels
from models.layers import OverFrames
from models.recipe import Recipe
from models.sample_space import SampleSpace
from models.systems.deep_loco import DeepLoco
from models.systems.deep_storm_3d import DeepStorm3d
from models.systems.dilated import DilatedLocalizer

FEEDS = 8
"""Parts in which eight bits are shown the frames from which they take their ranges."""


def mac_per_pixel(network: OverFrames) -> int:
    """Multiply-accumulate operations per camera pixel and frame, each frame encoded once."""
    side = 64
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        features = network.encode(torch.zeros(1, side, side), torch.zeros(side, side))
        network.locate(features, features, features)
    return int(counter.get_total_flops()) // 2 // side**2


def describe(
    network: OverFrames, space: SampleSpace, recipe: Recipe, provenance: dict[str, Any], rows_per_block: int = 0,
    novelty: bool = False,
) -> Card:  # fmt: skip
    """Return the card of a localizer; `novelty`: its graph has the distance from what it learned."""
    psf = recipe.spot_name
    kind = recipe.size if recipe.system == "default" else recipe.system
    seen = "single frames" if isinstance(network, DilatedLocalizer) else "three frames of context"
    inputs, outputs = (STATIC_INPUTS, STATIC_OUTPUTS) if rows_per_block else (INPUTS, OUTPUTS)
    return Card(
        name=f"{psf}-{kind}" if psf else f"{kind}-{recipe.size}",
        title=f"{psf or 'learned mask'} localizer, {kind}: {seen}, EMCCD and sCMOS",
        inputs=inputs, outputs=outputs, columns=columns(network.dimensions, novelty),
        features=network.channels, stride=network.stride, look_ahead=1, multiple_px=MULTIPLE_PX,
        threshold=THRESHOLDS[network.dimensions], mac_per_pixel=mac_per_pixel(network), sample_space=space,
        provenance=provenance, rows_per_block=rows_per_block, reach_px=reach_px(network),
    )  # fmt: skip


def write_localizer(trained: Trained, out: Path, precision: Precision, rows_per_block: int, name: str) -> Card:
    """Write one that sees three frames, or a list of single ones; as `export.export_trained`."""
    trained = replace(trained, distance=learned(trained))
    network, space, reference = trained.network, trained.space, Reference.of(trained)
    assert isinstance(network, OverFrames)
    card = describe(
        network, space, trained.recipe, trained.provenance, rows_per_block, novelty=trained.distance is not None
    )
    endings = (precision if precision != "fp32" else "", "static" if rows_per_block else "")
    card = replace(card, name="-".join((name or card.name, *filter(None, endings))), precision=precision)
    narrow = in_half(network) if precision == "fp16" else network
    model = trace(deployed(narrow, space, rows_per_block, trained.distance), card)
    if precision == "int8":
        model = in_eight_bits(model, _feeds(reference, card))
    save(model, card, out)
    file = exported(out, network)
    found = scores(file, reference.conditions, card.threshold)
    found |= {"beside_torch_float64": reference.beside(file, card.threshold)}
    if precision == "int8":
        exact = scores(reference.module, reference.conditions, card.threshold)
        found |= {"over_bound_beside_float32": ratios(found, exact)}
    return save(model, replace(card, scores=found), out)


def write_alone(network: DeepLoco | DeepStorm3d, trained: Trained, out: Path, name: str) -> Card:
    """Write one that looks at single frames alone and has no list of pixels: points, voxels."""
    reference, threshold = Reference.of(trained), threshold_of(network)
    module, known = as_localizer(network, trained.space), (trained.space, trained.recipe, trained.provenance)
    if isinstance(module, DeployedVoxels):
        card = describe_voxels(module, *known, threshold)
    else:
        assert isinstance(module, DeployedPoints)
        card = describe_points(module, *known, threshold)
    card = replace(card, name=name or card.name)
    model = trace(module, card)
    save(model, card, out)
    file = exported(out, network)
    found = scores(file, reference.conditions, threshold)
    found |= {"beside_torch_float64": reference.beside(file, threshold)}
    return save(model, replace(card, scores=found), out)


def _feeds(reference: Reference, card: Card) -> list[Feed]:
    """Return the inputs from which eight bits take their ranges."""
    names, camera = [port.name for port in INPUTS], reference.conditions.camera
    parts = (
        feed(reference.module, part, camera, card.threshold) for part in np.array_split(reference.frames, FEEDS)
    )  # fmt: skip
    feeds = [dict(zip(names, part, strict=True)) for part in parts]
    return [as_static(one) for one in feeds] if card.rows_per_block else feeds


def ratios(found: dict[str, Any], exact: dict[str, Any]) -> dict[str, list[float]]:
    """Return error over bound of one form divided by that of another, by photons and axis."""
    return {
        photons: [
            round(one / other, 4)
            for one, other in zip(figures["over_bound"], exact["single_by_photons"][photons]["over_bound"], strict=True)
        ]
        for photons, figures in found["single_by_photons"].items()
    }
