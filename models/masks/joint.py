"""A mask and a network, learned together: the light goes through the mask, the network looks at the images.

Decision: a mask starts where its criterion is best (`criterion.py`: bounds, and how far colours or heights are apart),
and the loss is that of the network plus this criterion, called bounds in the log. Context: what a network that knows
nothing yet asks of a mask is noise, and undoes the best one; the criterion knows from the first step on where the light
should go, but nothing of crowds, nor of what this network can read. Consequence: the network bends a mask that is good
already.

Any system whose loss is one of a network on `Samples` can be trained so: what it must say of itself is in `Behind`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from torch import nn

from models.losses import Losses
from models.masks.criterion import criterion_of, optimised
from models.masks.layer import ImageLayer, MaskedSpots
from models.masks.learned import LearnedMask
from models.masks.modulator import Modulator
from models.masks.optics import layer_of, modulator_of
from models.recipe import Recipe
from models.sample_space import SampleSpace
from models.simulation import FRAMES, Samples, Scenes, Simulator

FIRST_STEPS = 120
"""By which a mask comes to its start."""


class Joint(nn.Module):
    """A mask and the network behind it, so that one optimizer has the parameters of both.

    Parameters
    ----------
    mask : LearnedMask
    network : nn.Module
    """

    def __init__(self, mask: LearnedMask, network: nn.Module) -> None:
        super().__init__()
        self.mask, self.network = mask, network


@dataclass(frozen=True, slots=True)
class Behind:
    """What looks at the images behind a mask.

    Parameters
    ----------
    network : callable
        Makes it, untrained.
    losses : callable
        Network, samples, scenes -> loss. `Samples.emitter` says which emitters of the scenes are targets; where there
        are colours, the third coordinate of `Scenes.position_nm` is the colour.
    frames : sequence of int
        Of the three of a sample, those that the network looks at: the others stay without molecules, which saves time.
    bounds : float
        How much the mask's criterion counts in the loss: bounds, and how far colours or heights are apart.
    """

    network: Callable[[], nn.Module]
    losses: Callable[[Any, Samples, Scenes], Losses]
    frames: Sequence[int] = range(FRAMES)
    bounds: float = 1.0


class MaskAndNetwork:
    """Both as the trainer sees them; satisfies `Subject`.

    Parameters
    ----------
    behind : Behind
    recipe : Recipe
    space : SampleSpace
        As one of `models/masks/space.py`, with the objective's numbers.
    device : str
    """

    def __init__(self, behind: Behind, recipe: Recipe, space: SampleSpace, device: str) -> None:
        self._behind, self._space = behind, space
        self._layer: ImageLayer = layer_of(space)
        self._modulator: Modulator = modulator_of(space)
        self._z_nm = space["z_nm"] if "z_nm" in space.fields else None
        self._bounds = criterion_of(self._layer, space)
        flat = self._spots(LearnedMask(self._modulator))
        self._simulator = Simulator(flat, space, recipe.batch, recipe.patch_px, device)

    def network(self) -> Joint:
        """Return the mask at its start, and the network, untrained."""
        return Joint(deepcopy(self._start), self._behind.network())

    @cached_property
    def _start(self) -> LearnedMask:
        mask = LearnedMask(self._modulator)
        optimised(mask, self._bounds, FIRST_STEPS)
        return mask

    def draw(self, seed: int, step: int) -> Scenes:
        """Return what the samples of a step show; the images need the mask of that moment."""
        return self._simulator.scenes(seed, step)

    def losses(self, network: Joint, samples: Scenes) -> Losses:
        """Return the loss of the network on images behind the mask, and the bounds that the mask leaves."""
        light = self._simulator.light(samples, self._spots(network.mask), self._behind.frames)
        parts, total = self._behind.losses(network.network, self._simulator.exposed(samples, light), samples)
        bounds = self._bounds(network.mask)
        return Losses({**parts, "bounds": bounds.detach()}, total + self._behind.bounds * bounds)

    def _spots(self, mask: LearnedMask) -> MaskedSpots:
        return MaskedSpots(self._layer, mask, self._z_nm)
