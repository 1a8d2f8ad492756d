"""Networks by the name of their system."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from models.layers import OverFrames
from models.losses import Losses, Target
from models.recipe import Recipe
from models.sample_space import SampleSpace
from models.systems import decode, default

LossOf = Callable[[Any, Tensor, Target], Losses]
"""Network, its raw channels, truth -> loss."""
LOSSES: dict[str, LossOf] = {"default": default.losses, "decode": decode.losses}


def build(recipe: Recipe, space: SampleSpace, dimensions: int) -> OverFrames:
    """Return the network of a recipe, untrained.

    Raises
    ------
    ValueError
        DECODE in two dimensions, which it is not published for.
    """
    if recipe.system == "default":
        return default.DefaultLocalizer(default.SIZES[recipe.size], dimensions)
    if dimensions == 2:
        raise ValueError("decode finds z too: train it for a PSF in depth, or take the system `default`")
    return decode.Decode(decode.Scale.of(space))


def losses_of(system: str) -> LossOf:
    """Return the loss that a system is trained with."""
    return LOSSES[system]
