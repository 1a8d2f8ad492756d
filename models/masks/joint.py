"""A mask and a network, learned together: the light goes through the mask, the network looks at the images.

Any system whose loss is one of a network on `Samples` can be trained so: what it must say of itself is in `Behind`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from models.losses import Losses
from models.masks.layer import ImageLayer, MaskedSpots
from models.masks.learned import LearnedMask
from models.masks.modulator import Modulator
from models.masks.optics import layer_of, modulator_of
from models.recipe import Recipe
from models.sample_space import SampleSpace
from models.simulation import FRAMES, Samples, Scenes, Simulator


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
    """

    network: Callable[[], nn.Module]
    losses: Callable[[Any, Samples, Scenes], Losses]
    frames: Sequence[int] = range(FRAMES)


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
        flat = self._spots(LearnedMask(self._modulator))
        self._simulator = Simulator(flat, space, recipe.batch, recipe.patch_px, device)

    def network(self) -> Joint:
        """Return the mask at its start, and the network, untrained."""
        return Joint(LearnedMask(self._modulator), self._behind.network())

    def draw(self, seed: int, step: int) -> Scenes:
        """Return what the samples of a step show; the images need the mask of that moment."""
        return self._simulator.scenes(seed, step)

    def losses(self, network: Joint, samples: Scenes) -> Losses:
        """Return the loss of the network on images behind the mask."""
        light = self._simulator.light(samples, self._spots(network.mask), self._behind.frames)
        return self._behind.losses(network.network, self._simulator.exposed(samples, light), samples)

    def _spots(self, mask: LearnedMask) -> MaskedSpots:
        return MaskedSpots(self._layer, mask, self._z_nm)
