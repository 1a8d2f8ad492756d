"""From a training, or a model that ships, to a file: network, card and recipe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from export.background import DeployedBackground, describe_background, scores_background
from export.bleaching import DeployedSteps, describe_steps, predictor, scores_steps, temperature_of
from export.card import Card
from export.channels import DeployedChannels, describe_channels, scores_channels
from export.colour import describe_colours, parity_colours, scores_colours
from export.crops import describe_crops, parity_crops, scores_crops
from export.deployed_crops import DeployedCrops
from export.evaluate import THRESHOLDS, conditions_for, feed, locator_of, scores, threshold_of
from export.exported import exported
from export.graph import INPUTS, MULTIPLE_PX, OUTPUTS, columns
from export.image import DeployedImage, describe_image, drawer, scores_image
from export.localizers import as_localizer
from export.novelty import learned
from export.parity import Reference
from export.phase import deployed_phase, describe_phase, scores_phase
from export.points import DeployedPoints, describe_points
from export.precision import Feed, Precision, in_eight_bits, in_half
from export.prediction import DeployedPrediction, describe_prediction, scores_prediction
from export.prediction import predictor as predicted
from export.reach import reach_px
from export.static_graph import STATIC_INPUTS, STATIC_OUTPUTS, deployed
from export.static_rows import as_static
from export.to_onnx import save, trace, write
from export.trained import Trained, trained_in
from export.voxels import DeployedVoxels, describe_voxels
from models.guard.molecules.guard_file import ENDING
from models.layers import OverFrames
from models.masks.file import MASK
from models.masks.joint import Joint
from models.recipe import Recipe
from models.sample_space import SampleSpace
from models.systems import SYSTEMS, Kind
from models.systems.anna_palm import AnnaPalm
from models.systems.bgnet import BgNet
from models.systems.colouring import ColourReader
from models.systems.deep_loco import DeepLoco
from models.systems.deep_storm import ImageNetwork
from models.systems.deep_storm_3d import DeepStorm3d
from models.systems.dilated import DilatedLocalizer
from models.systems.hershko import HershkoLocalizer
from models.systems.reading import Reader
from models.systems.xu_bleaching import StepCounter
from models.train import SPOT

FEEDS = 8
"""Parts in which eight bits are shown the frames from which they take their ranges."""
PARITY_CROPS = 64
"""On which a network for crops is held against torch in float64."""


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
    psf = Path(recipe.psf).stem.removesuffix(".spot")
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


def export(source: Path, out: Path, precision: Precision = "fp32", rows_per_block: int = 0) -> Card:
    """Write averaged weights as `out` (.onnx) with their card; beside it spot and guard; as `export_trained`.

    Parameters
    ----------
    source : Path
        Folder of a training, or a localizer's `.onnx` file.
    out, precision, rows_per_block
    """
    card = export_trained(trained_in(source), out, precision, rows_per_block)
    known = source.with_suffix(ENDING)
    if precision != "int8" and known.is_file():  # the same network: what its guard knows holds for this form too
        out.with_suffix(ENDING).write_bytes(known.read_bytes())
    return card


def export_trained(
    trained: Trained, out: Path, precision: Precision = "fp32", rows_per_block: int = 0, name: str = ""
) -> Card:
    """Write a network as `out` (.onnx) with its card, and beside it the spot and the mask, where it has them.

    Parameters
    ----------
    trained : Trained
    out : Path
        The `.onnx` file to write.
    precision : {"fp32", "fp16", "int8"}
        Of a localizer's convolutions.
    rows_per_block : int
        Of a localizer: for a graph of known shapes; 0 for one whose table is as long as what is found.
    name : str
        On the card of a localizer; empty: spot and size.

    Raises
    ------
    ValueError
        Another form than the usual one of what is no localizer, or a file that no network can be made of.
    """
    kind = SYSTEMS[trained.recipe.system].kind
    if isinstance(trained.network, DeepLoco | DeepStorm3d) and (precision, rows_per_block) == ("fp32", 0):
        card = _alone(trained.network, trained, out, name)
    elif isinstance(trained.network, OverFrames):
        card = _localizer(trained, out, precision, rows_per_block, name)
    elif (precision, rows_per_block) == ("fp32", 0):
        card = _OTHERS[kind](trained, out)
    else:
        raise ValueError(f"{trained.recipe.system} is exported in fp32 and as onnx only")
    if trained.spot:
        trained.spot.save(out.with_suffix(f".{SPOT}"))
    out.with_suffix(f".{MASK}").unlink(missing_ok=True)
    if trained.mask:
        trained.mask.save(out.with_suffix(f".{MASK}"))
    return card


def _localizer(trained: Trained, out: Path, precision: Precision, rows_per_block: int, name: str) -> Card:
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


def _alone(network: DeepLoco | DeepStorm3d, trained: Trained, out: Path, name: str) -> Card:
    """Write a localizer that looks at frames alone."""
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


def _crops(trained: Trained, out: Path) -> Card:
    network, recipe, space, spot = trained.network, trained.recipe, trained.space, trained.spot
    assert isinstance(network, Reader)
    module = DeployedCrops(network, recipe.patch_px)
    card = describe_crops(module, space, recipe, trained.provenance)
    model = trace(module, card)
    save(model, card, out)
    crops = parity_crops(recipe, space, spot, PARITY_CROPS)
    apart = module.beside_torch(out, crops.counts, crops.variance)
    found = scores_crops(module, space, recipe, spot) | {"beside_torch_float64": apart}
    return save(model, replace(card, scores=found), out)


def _colours(trained: Trained, out: Path) -> Card:
    network, space = trained.network, trained.space
    assert isinstance(network, ColourReader)
    module = DeployedCrops(network, trained.recipe.patch_px)
    card = describe_colours(module, space, trained.recipe, trained.provenance)
    model = trace(module, card)
    save(model, card, out)
    apart = module.beside_torch(out, *parity_colours(space, module.crop_px))
    found = scores_colours(module, space) | {"beside_torch_float64": apart}
    return save(model, replace(card, scores=found), out)


def _image(trained: Trained, out: Path) -> Card:
    network = trained.network
    assert isinstance(network, ImageNetwork)
    module = DeployedImage(network)
    card = describe_image(network, trained.space, trained.recipe, trained.provenance)
    found = scores_image(drawer(module), conditions_for(trained.space, trained.spot))
    return write(module, replace(card, scores=found), out)


def _steps(trained: Trained, out: Path) -> Card:
    network = trained.network
    assert isinstance(network, StepCounter)
    temperature = temperature_of(network, trained.space)
    module = DeployedSteps(network, temperature)
    card = describe_steps(module, trained.space, trained.recipe, trained.provenance)
    found = scores_steps(predictor(network, temperature), temperature, trained.space)
    return write(module, replace(card, scores=found), out)


def _masked(trained: Trained, out: Path) -> Card:
    joint, space = trained.network, trained.space
    assert isinstance(joint, Joint)
    assert isinstance(joint.network, HershkoLocalizer)
    module = DeployedChannels(joint.network)
    card = describe_channels(module, space, trained.recipe, trained.provenance)
    found = scores_channels(locator_of(joint, space), joint, space)
    return write(module, replace(card, scores=found), out)


def _prediction(trained: Trained, out: Path) -> Card:
    network = trained.network
    assert isinstance(network, AnnaPalm)
    module = DeployedPrediction(network)
    card = describe_prediction(module, trained.space, trained.recipe, trained.provenance)
    return write(module, replace(card, scores=scores_prediction(predicted(module), trained.space)), out)


_OTHERS: Mapping[Kind, Callable[[Trained, Path], Card]] = {
    "phase": _phase, "background": _background, "crops": _crops, "image": _image, "trace": _steps,
    "mask": _masked,
    "colour": _colours,
    "prediction": _prediction,
}  # fmt: skip
"""What writes those that are no localizers."""
