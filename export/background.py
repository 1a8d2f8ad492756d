"""BGnet as it ships: its graph's ports, card and scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from export.card import Card, Port
from models.backgrounds.scoring import FOOTPRINT, PHOTONS, READ_NOISE_E, Float32, Predict, by_background
from models.optics.low_rank import LowRankSpot
from models.recipe import Recipe
from models.sample_space import SampleSpace
from models.systems.bgnet import BgNet
from models.training_spots import training_spots

CROP = ("crop", "y", "x")
COUNTS = "photo-electrons over the excess noise factor F**2"
INPUTS = (
    Port("counts", "float32", CROP, COUNTS + "; the emitter lies within a pixel of the corner between the middle ones"),
    Port("variance", "float32", CROP, "read noise: the same counts, squared"),
)
OUTPUTS = (Port("background", "float32", CROP, COUNTS),)
CROPS, QUICK = 200, 50


class DeployedBackground(nn.Module):
    """BGnet with what the exporter asks of a graph.

    Parameters
    ----------
    network : BgNet
    crop_px : int
    """

    def __init__(self, network: BgNet, crop_px: int) -> None:
        super().__init__()
        self.network, self.crop_px = network.eval(), crop_px

    def forward(self, counts: Tensor, variance: Tensor) -> Tensor:
        """Axes and units as in `INPUTS` and `OUTPUTS`."""
        return self.network.background(counts, variance)

    def example(self) -> tuple[tuple[Tensor, ...], tuple[Any, ...]]:
        """Return inputs, and which of their axes are free."""
        crops = {0: torch.export.Dim("crop", min=1)}
        counts, variance = (torch.rand(2, self.crop_px, self.crop_px) * most for most in (100, 2))
        return (counts, variance), (crops, crops)


def predictor(module: DeployedBackground) -> Predict:
    """Return the network as a function of arrays."""

    def predict(counts: Float32, variance: Float32) -> Float32:
        with torch.no_grad():
            return np.asarray(module(torch.from_numpy(counts), torch.from_numpy(variance)).numpy(), np.float32)

    return predict


def describe_background(
    module: DeployedBackground, space: SampleSpace, recipe: Recipe, provenance: dict[str, Any]
) -> Card:  # fmt: skip
    """Return the card of a background network."""
    counter, (example, _) = FlopCounterMode(display=False), module.example()
    with counter, torch.no_grad():
        module(*example)
    psf, side = recipe.spot_name, module.crop_px
    return Card(
        name=f"{psf}-{recipe.system}", title=f"background under a {psf} spot in {side} x {side} pixels",
        inputs=INPUTS, outputs=OUTPUTS, columns=(), features=0, look_ahead=0, multiple_px=side, threshold=0.0,
        mac_per_pixel=int(counter.get_total_flops()) // 2 // example[0].numel(), sample_space=space,
        provenance=provenance,
    )  # fmt: skip


def scores_background(
    module: DeployedBackground, space: SampleSpace, spot: LowRankSpot | None, count: int = CROPS
) -> dict[str, Any]:
    """Return what the network scores, and on what."""
    found = by_background(predictor(module), training_spots(spot, space), space, module.crop_px, count)
    return {
        "data": f"simulated, held-out seed: {count} crops each, one emitter of {PHOTONS:g} photons, {READ_NOISE_E:g} e "
        "read noise; root mean square error of the background in photo-electrons per pixel where the spot has at least "
        f"{FOOTPRINT:.0%} of its peak, that of the median of the border, and the ratio of both",
        "by_level_and_contrast": found,
    }


def validate_background(network: BgNet, space: SampleSpace, spot: LowRankSpot | None, crop_px: int) -> dict[str, float]:
    """Return a few figures of a network while it is trained: its error over that of a constant."""
    module = DeployedBackground(network, crop_px)
    found = scores_background(module, space, spot, QUICK)["by_level_and_contrast"]
    return {f"error_ratio_{at.replace(', ', '_')}": float(row["ratio"]) for at, row in found.items()}
