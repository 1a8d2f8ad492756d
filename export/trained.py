"""A trained network with what is known of it: from the folder of a training, or out of a file that ships."""

from __future__ import annotations

import platform
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import onnx
import torch
from google.protobuf.message import DecodeError
from onnx import numpy_helper
from torch import nn

from export.card import METADATA_KEY, Card, CardError
from models.feature_distance import FeatureDistance
from models.layers import OverFrames
from models.masks.file import MASK, MaskFile
from models.masks.joint import Joint
from models.masks.spot import spot_behind
from models.optics.low_rank import SPOT, LowRankSpot
from models.recipe import Recipe
from models.sample_space import SampleSpace
from models.systems.decode import Decode, Scale
from models.systems.default import DefaultLocalizer
from models.systems.dilated import DilatedLocalizer
from models.train import Trainer

_OF_THE_NETWORK, _OF_THE_READER, _OF_THE_DISTANCE = "network.", "reader.", "novelty."
"""Before the names of weights in a file; the second of networks for crops."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A network that was trained.

    Parameters
    ----------
    network : nn.Module
        With averaged weights, in float32.
    recipe : Recipe
    space : SampleSpace
    spot : LowRankSpot or None
    provenance : dict
        As on the card.
    distance : FeatureDistance or None
        Of a localizer's file, from what its network learned; None where it has none.
    mask : MaskFile or None
        That was learned with it.
    """

    network: nn.Module
    recipe: Recipe
    space: SampleSpace
    spot: LowRankSpot | None
    provenance: dict[str, Any]
    distance: FeatureDistance | None = None
    mask: MaskFile | None = None


def trained_in(source: Path) -> Trained:
    """Return the network of a training's folder, or of a localizer's file; as `from_model`."""
    return from_training(source) if source.is_dir() else from_model(source)


def from_training(folder: Path) -> Trained:
    """Return the network of a training with its averaged weights; behind a mask with that, and in depth its spots."""
    trainer = Trainer.load(folder, "cpu")
    network, space = trainer.averaged.eval(), trainer.space
    held = MaskFile.load(folder / MASK) if (folder / MASK).exists() else None
    trained = Trained(network, trainer.recipe, space, trainer.spot, provenance(trainer), mask=held)
    if not isinstance(network, Joint):
        return trained
    mask = network.mask.held()
    if "z_nm" not in space.fields:
        return replace(trained, mask=mask)
    return replace(trained, network=network.network, spot=spot_behind(mask, space), mask=mask)


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


def from_model(path: Path) -> Trained:
    """Return the network of a localizer's `.onnx` file; weights in float16 become float32, rounded as they are.

    Raises
    ------
    ValueError
        It is no localizer of ours, is in eight bits, or its network is not one that this version knows.
    """
    model, card = read_model(path)
    if "count" not in [port.name for port in card.outputs] or card.precision == "int8":
        raise ValueError(f"{path}: {card.title}, {card.precision}; only localizers in fp32 or fp16 can be taken")
    try:
        network, recipe = network_of(model, card), Recipe(**card.provenance["recipe"])
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: {error}") from error
    known = (card.sample_space, spot_beside(path), card.provenance, distance_of(model), mask_beside(path))
    return Trained(network, recipe, *known)


def weights_in(path: Path) -> tuple[dict[str, torch.Tensor], Card]:
    """Return the weights in any model's file by the names that its network has for them, and its card.

    Of a network with batch normalisation or a memory (LSTM) some are missing: the graph holds them joined to others.
    Raises ValueError if it is no model of ours.
    """
    model, card = read_model(path)
    return _weights(model, _OF_THE_NETWORK) or _weights(model, _OF_THE_READER), card


def read_model(path: Path) -> tuple[onnx.ModelProto, Card]:
    """Return the graph of a file and its card; raises ValueError if it has none of ours."""
    try:
        model = onnx.load(path)
        return model, Card.from_json({one.key: one.value for one in model.metadata_props}.get(METADATA_KEY, ""))
    except (DecodeError, CardError) as error:
        raise ValueError(f"{path}: not a model of LiveSMLM: {error}") from error


def spot_beside(path: Path) -> LowRankSpot | None:
    """Return the spots beside a model's file; None if there are none, as in focus."""
    beside = path.with_suffix(f".{SPOT}")
    return LowRankSpot.load(beside) if beside.exists() else None


def mask_beside(path: Path) -> MaskFile | None:
    """Return the mask beside a model's file; None if it was learned without one."""
    beside = path.with_suffix(f".{MASK}")
    return MaskFile.load(beside) if beside.exists() else None


def network_of(model: onnx.ModelProto, card: Card) -> OverFrames:
    """Return the network of a localizer's graph with its weights in float32; raises ValueError for one not known."""
    network = _like(card)
    try:
        network.load_state_dict(_weights(model, _OF_THE_NETWORK))
    except RuntimeError as error:
        raise ValueError("its network is of another version: its layers are not those of this one") from error
    return network.eval().requires_grad_(False)


def distance_of(model: onnx.ModelProto) -> FeatureDistance | None:
    """Return the distance in a localizer's graph; None of a file that has none."""
    weights = _weights(model, _OF_THE_DISTANCE)
    return FeatureDistance(**weights) if weights else None


def _weights(model: onnx.ModelProto, of: str) -> dict[str, torch.Tensor]:
    """Return the weights whose names begin so, by the rest of their names, in float32."""
    return {
        tensor.name.removeprefix(of): torch.from_numpy(numpy_helper.to_array(tensor).copy()).float()
        for tensor in model.graph.initializer
        if tensor.name.startswith(of)
    }


def _like(card: Card) -> OverFrames:
    system = card.provenance["recipe"].get("system")
    if system in ("deeploco", "deepstorm3d"):
        raise ValueError(f"the network of {system} comes from the folder of its training only, not out of the file")
    if system in ("deepstorm3d-list", "deepstorm3d-mask"):
        return DilatedLocalizer(card.features)
    if system == "decode":
        return Decode(Scale.of(card.sample_space))
    return DefaultLocalizer(card.features, dimensions=3 if "z_nm" in card.columns else 2)
