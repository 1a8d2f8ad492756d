"""Networks that predict dense images as they ship: ports, card, scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from export.card import Card, Port
from models.predicted.samples import Float32
from models.predicted.scoring import Predict, by_frames
from models.predicted.space import COARSER, FULL_FRAMES, PIXEL_NM, SCORED_PER_UM2, TILE_PX, TRAINED_STRUCTURES
from models.recipe import Recipe
from models.sample_space import SampleSpace
from models.systems.anna_palm import AnnaPalm

COARSE_PX = TILE_PX // COARSER
INPUTS = (
    Port(
        "sparse", "float32", ("tile", str(TILE_PX), str(TILE_PX)),
        f"localizations in each pixel of {PIXEL_NM:g} nm, less their mean, over the whole image's deviation",
    ),
    Port(
        "widefield", "float32", ("tile", str(COARSE_PX), str(COARSE_PX)),
        f"pixels of {COARSER * PIXEL_NM:g} nm; 0 the least, 1 the most of the whole image",
    ),
    Port(
        "structure", "float32", ("tile", str(len(TRAINED_STRUCTURES))),
        f"1 for what it is: {', '.join(TRAINED_STRUCTURES)}; else 0",
    ),
)  # fmt: skip
OUTPUTS = (
    Port(
        "prediction", "float32", ("tile", str(TILE_PX), str(TILE_PX)),
        "no measurement: the image to be expected after all frames, from 0 to 1 of its most",
    ),
    Port(
        "error", "float32", ("tile", str(COARSE_PX), str(COARSE_PX)),
        "difference of the widefield image from the one that the prediction should have, over its standard deviation",
    ),
)  # fmt: skip
FIELDS, QUICK = 24, 4


class DeployedPrediction(nn.Module):
    """Predictor and widefield network with what the exporter asks of a graph; the critic stays behind.

    Parameters
    ----------
    network : AnnaPalm
    """

    def __init__(self, network: AnnaPalm) -> None:
        super().__init__()
        self.network = network.eval()

    def forward(self, sparse: Tensor, widefield: Tensor, structure: Tensor) -> tuple[Tensor, Tensor]:
        """Axes and units as in `INPUTS` and `OUTPUTS`."""
        image, error = self.network(sparse, widefield, structure)
        return image, error

    def example(self) -> tuple[tuple[Tensor, ...], tuple[Any, ...]]:
        """Return inputs, and which of their axes are free: tiles."""
        shapes = ((TILE_PX, TILE_PX), (COARSE_PX, COARSE_PX), (len(TRAINED_STRUCTURES),))
        tiles = {0: torch.export.Dim("tile", min=1)}
        return tuple(torch.rand(2, *shape) for shape in shapes), (tiles, tiles, tiles)


def predictor(module: DeployedPrediction) -> Predict:
    """Return it as a function of arrays."""

    def predict(sparse: Float32, widefield: Float32, structure: Float32) -> tuple[Float32, Float32]:
        with torch.no_grad():
            image, error = module(*(torch.from_numpy(one) for one in (sparse, widefield, structure)))
        return np.asarray(image, np.float32), np.asarray(error, np.float32)

    return predict


def describe_prediction(
    module: DeployedPrediction, space: SampleSpace, recipe: Recipe, provenance: dict[str, Any]
) -> Card:  # fmt: skip
    """Return the card; `mac_per_pixel` is for each pixel of the image."""
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        module(*(one[:1] for one in module.example()[0]))
    return Card(
        name=f"{recipe.system}-{recipe.size}",
        title=f"prediction of the image after {FULL_FRAMES} frames: {', '.join(TRAINED_STRUCTURES)}",
        inputs=INPUTS, outputs=OUTPUTS, columns=(), features=0, look_ahead=0, multiple_px=TILE_PX, threshold=0.0,
        mac_per_pixel=int(counter.get_total_flops()) // 2 // TILE_PX**2, sample_space=space,
        provenance={**provenance, "width": "a quarter of the published channels"},
    )  # fmt: skip


def scores_prediction(predict: Predict, space: SampleSpace, fields: int = FIELDS) -> dict[str, Any]:
    """Return what a network scores beside the sparse image, and on what."""
    return {
        "data": f"simulated, held-out seed: {fields} fields of {TILE_PX} x {TILE_PX} pixels, {SCORED_PER_UM2:g} "
        f"localizations per um^2 after {FULL_FRAMES} frames; multi-scale similarity to the dense image; root mean "
        "square of the error map, and what it is below in 95 of 100 fields",
        "by_frames": by_frames(predict, space, fields),
    }


def validate_prediction(network: AnnaPalm, space: SampleSpace) -> dict[str, float]:
    """Return a few figures of a network while it is trained."""
    found = by_frames(predictor(DeployedPrediction(network)), space, QUICK)
    return {f"similarity_at_{frames}": row["predicted"] for frames, row in found.items()}
