"""Localizers as the trainer sees them: emitters in three frames, and a loss for each system."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from models.layers import OverFrames
from models.losses import Losses, Target
from models.optics.low_rank import LowRankSpot
from models.recipe import Recipe
from models.sample_space import SampleSpace
from models.simulation import Samples, Simulator
from models.systems import decode, default, dilated
from models.training_spots import training_spots

LossOf = Callable[[Any, Tensor, Target], Losses]
"""Network, its raw channels, truth -> loss."""
LOSSES: dict[str, LossOf] = {"default": default.losses, "decode": decode.losses, "deepstorm3d-list": dilated.losses}


class Localizing:
    """A localizer of a recipe.

    Parameters
    ----------
    recipe : Recipe
    space : SampleSpace
    spot : LowRankSpot or None
        What emitters look like in depth; None: Gaussian spots in focus, of any width.
    device : str
    """

    def __init__(self, recipe: Recipe, space: SampleSpace, spot: LowRankSpot | None, device: str) -> None:
        self._recipe, self._space = recipe, space
        spots = training_spots(spot, space)
        self._dimensions = spots.dimensions
        self._simulator = Simulator(spots, space, recipe.batch, recipe.patch_px, device)

    def network(self) -> OverFrames:
        """Return the network, untrained; raises ValueError in two dimensions for those that find z."""
        if self._recipe.system == "default":
            return default.DefaultLocalizer(default.SIZES[self._recipe.size], self._dimensions)
        if self._dimensions == 2:
            system = self._recipe.system
            raise ValueError(f"{system} finds z too: train it for a PSF in depth, or take the system `default`")
        if self._recipe.system == "deepstorm3d-list":
            return dilated.DilatedLocalizer(dilated.SIZES[self._recipe.size])
        return decode.Decode(decode.Scale.of(self._space))

    def draw(self, seed: int, step: int) -> Samples:
        """Return the samples of a step."""
        return self._simulator.draw(seed, step)

    def losses(self, network: OverFrames, samples: Samples) -> Losses:
        """Return the loss of the system."""
        target = Target(samples.sample, samples.position, samples.emitter_counts, samples.background)
        return LOSSES[self._recipe.system](network, network(samples.counts, samples.variance), target)
