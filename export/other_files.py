"""What is no localizer as a file: graph, card and scores, one way for each kind of network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from export.background import DeployedBackground, describe_background, scores_background
from export.bleaching import DeployedSteps, describe_steps, predictor, scores_steps, temperature_of
from export.card import Card
from export.channels import DeployedChannels, describe_channels, scores_channels
from export.colour import describe_colours, parity_colours, scores_colours
from export.crops import describe_crops, parity_crops, scores_crops
from export.deployed_crops import DeployedCrops
from export.evaluate import conditions_for, locator_of
from export.image import DeployedImage, describe_image, drawer, scores_image
from export.phase import deployed_phase, describe_phase, scores_phase
from export.prediction import DeployedPrediction, describe_prediction, scores_prediction
from export.prediction import predictor as predicted
from export.to_onnx import save, trace, write
from export.trained import Trained
from models.masks.joint import Joint
from models.systems import Kind
from models.systems.anna_palm import AnnaPalm
from models.systems.bgnet import BgNet
from models.systems.colouring import ColourReader
from models.systems.deep_storm import ImageNetwork
from models.systems.hershko import HershkoLocalizer
from models.systems.reading import Reader
from models.systems.xu_bleaching import StepCounter

PARITY_CROPS = 64
"""On which a network for crops is held against torch in float64."""


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
    crops = parity_crops(recipe, space, spot, PARITY_CROPS)
    found = scores_crops(module, space, recipe, spot)
    return _beside_torch(module, replace(card, scores=found), out, crops.counts, crops.variance)


def _colours(trained: Trained, out: Path) -> Card:
    network, space = trained.network, trained.space
    assert isinstance(network, ColourReader)
    module = DeployedCrops(network, trained.recipe.patch_px)
    card = describe_colours(module, space, trained.recipe, trained.provenance)
    found = scores_colours(module, space)
    return _beside_torch(module, replace(card, scores=found), out, *parity_colours(space, module.crop_px))


def _beside_torch(module: DeployedCrops[Any], card: Card, out: Path, counts: Tensor, variance: Tensor) -> Card:
    """Write a network for crops, and on its card how far the file's answers to these crops are from torch."""
    model = trace(module, card)
    save(model, card, out)
    apart = module.beside_torch(out, counts, variance)
    return save(model, replace(card, scores=card.scores | {"beside_torch_float64": apart}), out)


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


WRITERS: Mapping[Kind, Callable[[Trained, Path], Card]] = {
    "phase": _phase, "background": _background, "crops": _crops, "image": _image, "trace": _steps,
    "mask": _masked, "colour": _colours, "prediction": _prediction,
}  # fmt: skip
"""Kind of a system -> what writes its networks."""
