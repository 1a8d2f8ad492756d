"""Networks for wavefronts as the trainer sees them: simulated stacks, and the error of the coefficients."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional

from models.aberrations.stacks import Stacks, StackSimulator
from models.losses import Losses
from models.recipe import Recipe
from models.sample_space import SampleSpace

BEND_WAVES = 0.05
"""Errors above this count linearly: wavefronts beyond reach must not drown the others."""


class Kind(NamedTuple):
    """What differs between such systems.

    Attributes
    ----------
    network : callable
        Slices, window in pixels, channels -> network.
    channels : dict of str to int
        By name of a size.
    modes : tuple of int
        Noll indices that a wavefront has.
    """

    network: Callable[[int, int, int], nn.Module]
    channels: dict[str, int]
    modes: tuple[int, ...]


class Wavefronts:
    """A network for wavefronts.

    Parameters
    ----------
    kind : Kind
    recipe : Recipe
        `patch_px` is the window.
    space : SampleSpace
    device : str
    """

    def __init__(self, kind: Kind, recipe: Recipe, space: SampleSpace, device: str) -> None:
        self._kind, self._recipe, self._slices = kind, recipe, int(space.number("slices"))
        self._simulator = StackSimulator(space, recipe.patch_px, recipe.batch, kind.modes, device)

    def network(self) -> nn.Module:
        """Return the network, untrained."""
        return self._kind.network(self._slices, self._recipe.patch_px, self._kind.channels[self._recipe.size])

    def draw(self, seed: int, step: int) -> Stacks:
        """Return the stacks of a step."""
        return self._simulator.draw(seed, step)

    def losses(self, network: nn.Module, samples: Stacks) -> Losses:
        """Return the error of the coefficients, quadratic for small ones; `rms_waves` is that of the wavefront."""
        waves: Tensor = network(samples.counts)
        error = functional.smooth_l1_loss(waves, samples.waves, beta=BEND_WAVES)
        rms = (waves - samples.waves).detach().square().sum(1).sqrt().mean()
        return Losses({"wavefront": error.detach(), "rms_waves": rms}, 100 * error)
