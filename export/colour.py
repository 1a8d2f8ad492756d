"""Networks that tell colours in crops as they ship: card, parity and scores; their ports are those of other crops."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from export.card import Card
from export.crops import INPUTS, OUTPUTS
from export.deployed_crops import DeployedCrops
from models.colours.dyes import names_of
from models.colours.likelihood import likeliest
from models.colours.scoring import PHOTONS, ColoursHeldOut, colours_held_out, scores_of_colours
from models.colours.spots import dye_spots
from models.crops.scoring import BACKGROUND_E, READ_NOISE_E, Answer
from models.recipe import Recipe
from models.sample_space import SampleSpace
from models.systems.colouring import ColourReader

CROPS, QUICK = 500, 300
"""Of each colour."""
PARITY_CROPS = 64
YARDSTICK = "maximum likelihood"


def describe_colours(
    module: DeployedCrops[ColourReader], space: SampleSpace, recipe: Recipe, provenance: dict[str, Any]
) -> Card:  # fmt: skip
    """Return the card of a network for colours."""
    side, found = module.crop_px, " and z" if module.reader.depth is not None else ""
    return Card(
        name=f"{recipe.system}-{recipe.size}",
        title=f"colour ({', '.join(names_of(space))}){found} of one spot in {side} x {side} pixels, open pupil",
        inputs=INPUTS, outputs=OUTPUTS, columns=module.reader.columns, features=0, look_ahead=0, multiple_px=side,
        threshold=0.0, mac_per_pixel=module.mac_per_pixel(), sample_space=space, provenance=provenance,
    )  # fmt: skip


def colour_tests(space: SampleSpace, side_px: int, count: int) -> dict[str, ColoursHeldOut]:
    """Return held-out crops by brightness, so many of each colour."""
    spots = dye_spots(space, side_px)
    return {f"{photons:g} photons": colours_held_out(spots, space, side_px, photons, count) for photons in PHOTONS}


def yardstick(space: SampleSpace, side_px: int) -> Answer:
    """Return fits with the spots of all colours."""
    return likeliest(dye_spots(space, side_px), side_px)


def scores_colours(module: DeployedCrops[ColourReader], space: SampleSpace) -> dict[str, Any]:
    """Return what the network scores, and on what, the yardstick beside it."""
    best = yardstick(space, module.crop_px)
    return {
        "data": f"simulated, held-out seed: {CROPS} crops of each colour, {READ_NOISE_E:g} e read noise, "
        f"{BACKGROUND_E:g} photo-electrons of background, emitters at all z; z beside the Cramer-Rao bound of whoever "
        f"knows the colour; {YARDSTICK}: fits with the spots of all colours, the likeliest taken",
        "by_photons": {
            at: scores_of_colours(module.answer(), held) | {YARDSTICK: scores_of_colours(best, held)}
            for at, held in colour_tests(space, module.crop_px, CROPS).items()
        },
    }


def parity_colours(space: SampleSpace, side_px: int) -> tuple[Tensor, Tensor]:
    """Return counts and variance of some held-out crops."""
    held = colours_held_out(dye_spots(space, side_px), space, side_px, PHOTONS[0], PARITY_CROPS)
    return torch.from_numpy(held.counts), torch.from_numpy(held.variance)


def validate_colours(network: ColourReader, recipe: Recipe, space: SampleSpace) -> dict[str, float]:
    """Return a few figures of a network while it is trained: how many are told rightly, and z, by brightness."""
    answer, figures = DeployedCrops(network, recipe.patch_px).answer(), {}
    for at, held in colour_tests(space, recipe.patch_px, QUICK).items():
        found, name = scores_of_colours(answer, held), at.replace(" photons", "")
        figures[f"accuracy_at_{name}"] = float(str(found["accuracy"]))
        for k, row in enumerate(found.get("z_nm", ())):  # type: ignore[arg-type,var-annotated]
            figures[f"z_rmse_nm_of_{k}_at_{name}"] = row["rmse"]
    return figures
