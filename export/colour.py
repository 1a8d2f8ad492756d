"""Networks that tell colours in crops as they ship: card, parity and scores; their ports are those of other crops."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from export.card import Card
from export.crops import INPUTS, OUTPUTS
from models.colours.dyes import names_of
from models.colours.likelihood import likeliest
from models.colours.scoring import PHOTONS, ColoursHeldOut, colours_held_out, scores_of_colours
from models.colours.spots import dye_spots
from models.crops.scoring import BACKGROUND_E, READ_NOISE_E, Answer, Float32, Float64, columns_of
from models.recipe import Recipe
from models.sample_space import SampleSpace
from models.systems.colouring import ColourReader

CROPS, QUICK = 500, 300
"""Of each colour."""
PARITY_CROPS = 64
YARDSTICK = "maximum likelihood"


class DeployedColours(nn.Module):
    """A network for colours with what the exporter asks of a graph.

    Parameters
    ----------
    reader : ColourReader
    crop_px : int
    """

    def __init__(self, reader: ColourReader, crop_px: int) -> None:
        super().__init__()
        self.reader, self.crop_px = reader.eval(), crop_px

    def forward(self, counts: Tensor, variance: Tensor) -> Tensor:
        """Axes and units as in `export.crops.INPUTS` and `OUTPUTS`."""
        return self.reader.table(counts, variance)

    def example(self) -> tuple[tuple[Tensor, ...], tuple[Any, ...]]:
        """Return inputs, and which of their axes are free."""
        crops = {0: torch.export.Dim("crop", min=1)}
        counts, variance = (torch.rand(2, self.crop_px, self.crop_px) * most for most in (100, 2))
        return (counts, variance), (crops, crops)


def answering(module: DeployedColours) -> Answer:
    """Return the network as a function of arrays."""

    def answer(counts: Float32, variance: Float32) -> dict[str, Float64]:
        with torch.no_grad():
            table = module(torch.from_numpy(counts), torch.from_numpy(variance)).numpy()
        return columns_of(module.reader.columns, table)

    return answer


def describe_colours(
    module: DeployedColours, space: SampleSpace, recipe: Recipe, provenance: dict[str, Any]
) -> Card:  # fmt: skip
    """Return the card of a network for colours."""
    counter, (example, _) = FlopCounterMode(display=False), module.example()
    with counter, torch.no_grad():
        module(*example)
    side, found = module.crop_px, " and z" if module.reader.depth is not None else ""
    return Card(
        name=f"{recipe.system}-{recipe.size}",
        title=f"colour ({', '.join(names_of(space))}){found} of one spot in {side} x {side} pixels, open pupil",
        inputs=INPUTS, outputs=OUTPUTS, columns=module.reader.columns, features=0, look_ahead=0, multiple_px=side,
        threshold=0.0, mac_per_pixel=int(counter.get_total_flops()) // 2 // example[0].numel(), sample_space=space,
        provenance=provenance,
    )  # fmt: skip


def colour_tests(space: SampleSpace, side_px: int, count: int) -> dict[str, ColoursHeldOut]:
    """Return held-out crops by brightness, so many of each colour."""
    spots = dye_spots(space, side_px)
    return {f"{photons:g} photons": colours_held_out(spots, space, side_px, photons, count) for photons in PHOTONS}


def yardstick(space: SampleSpace, side_px: int) -> Answer:
    """Return fits with the spots of all colours."""
    return likeliest(dye_spots(space, side_px), side_px)


def scores_colours(module: DeployedColours, space: SampleSpace) -> dict[str, Any]:
    """Return what the network scores, and on what, the yardstick beside it."""
    best = yardstick(space, module.crop_px)
    return {
        "data": f"simulated, held-out seed: {CROPS} crops of each colour, {READ_NOISE_E:g} e read noise, "
        f"{BACKGROUND_E:g} photo-electrons of background, emitters at all z; z beside the Cramer-Rao bound of whoever "
        f"knows the colour; {YARDSTICK}: fits with the spots of all colours, the likeliest taken",
        "by_photons": {
            at: scores_of_colours(answering(module), held) | {YARDSTICK: scores_of_colours(best, held)}
            for at, held in colour_tests(space, module.crop_px, CROPS).items()
        },
    }


def beside_torch(path: Path, module: DeployedColours, space: SampleSpace) -> Mapping[str, float]:
    """Return by column the largest difference of a file in ONNX Runtime from the network in torch in float64."""
    held = colours_held_out(dye_spots(space, module.crop_px), space, module.crop_px, PHOTONS[0], PARITY_CROPS)
    (found,) = onnxruntime.InferenceSession(path).run(None, {"counts": held.counts, "variance": held.variance})
    with torch.no_grad():
        pixels = (torch.from_numpy(values).double() for values in (held.counts, held.variance))
        exact = deepcopy(module).double()(*pixels).numpy()
    largest = np.abs(np.asarray(found) - exact).max(axis=0).tolist()
    return {name: float(f"{value:.2g}") for name, value in zip(module.reader.columns, largest, strict=True)}


def validate_colours(network: ColourReader, recipe: Recipe, space: SampleSpace) -> dict[str, float]:
    """Return a few figures of a network while it is trained: how many are told rightly, and z, by brightness."""
    answer, figures = answering(DeployedColours(network, recipe.patch_px)), {}
    for at, held in colour_tests(space, recipe.patch_px, QUICK).items():
        found, name = scores_of_colours(answer, held), at.replace(" photons", "")
        figures[f"accuracy_at_{name}"] = float(str(found["accuracy"]))
        for k, row in enumerate(found.get("z_nm", ())):  # type: ignore[arg-type,var-annotated]
            figures[f"z_rmse_nm_of_{k}_at_{name}"] = row["rmse"]
    return figures
