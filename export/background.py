"""A network for the background as it ships: its graph's ports, card and scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from export.card import Card, Port
from models.backgrounds.scoring import Predict, over_constant
from models.optics.low_rank import LowRankSpot
from models.recipe import Recipe
from models.sample_space import SampleSpace

INPUTS = (Port("crops", "float32", ("crop", "y", "x"), "photo-electrons over the excess noise factor F**2"),)
OUTPUTS = (Port("background", "float32", ("crop", "y", "x"), "the same, without the molecule"),)


class DeployedBackground(nn.Module):
    """A network for the background with what the exporter asks of a graph.

    Parameters
    ----------
    network : nn.Module
    crop_px : int
    """

    def __init__(self, network: nn.Module, crop_px: int) -> None:
        super().__init__()
        self.network, self.crop_px = network, crop_px

    def forward(self, crops: Tensor) -> Tensor:
        """Axes and units as in `INPUTS` and `OUTPUTS`."""
        background: Tensor = self.network(crops)
        return background

    def example(self) -> tuple[tuple[Tensor, ...], tuple[Any, ...]]:
        """Return inputs, and which of their axes are free."""
        return (torch.rand(2, self.crop_px, self.crop_px) * 100,), ({0: torch.export.Dim("crop", min=1)},)


def predictor(network: nn.Module) -> Predict:
    """Return the network as a function of arrays."""

    def predict(crops: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return np.asarray(network(torch.from_numpy(crops)).numpy())

    return predict


def describe_background(module: DeployedBackground, space: SampleSpace, recipe: Recipe, made: dict[str, Any]) -> Card:
    """Return the card of a network for the background; `made` says how."""
    counter, (example, _) = FlopCounterMode(display=False), module.example()
    with counter, torch.no_grad():
        module(*example)
    return Card(
        name=f"{recipe.system}-{recipe.psf}", title=f"background under a molecule, {recipe.psf}",
        inputs=INPUTS, outputs=OUTPUTS, columns=(), features=0, look_ahead=0, multiple_px=recipe.patch_px,
        threshold=0.0, mac_per_pixel=int(counter.get_total_flops()) // 2 // example[0].numel(), sample_space=space,
        provenance=made,
    )  # fmt: skip


def scores_background(
    network: nn.Module, space: SampleSpace, spot: LowRankSpot | None, recipe: Recipe
) -> dict[str, Any]:
    """Return what the network scores, and on what."""
    return {
        "data": "simulated crops, held-out seed; root mean square error of the background where 90 % of the molecule's "
        "light is, over that of the median of the crop's edge; by standard deviation of the background over its mean",
        "error_over_constant_by_contrast": over_constant(predictor(network), space, spot, recipe.patch_px),
    }
