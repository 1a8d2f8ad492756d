"""Networks for wavefronts as the trainer sees them: simulated stacks, and how far an answer is from the truth.

Either the coefficients are compared, or the images that they stand for (Moeckl et al. 2019 leave it open).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.aberrations.stacks import Stacks, StackSimulator
from models.losses import Losses
from models.recipe import Recipe
from models.sample_space import SampleSpace

FLOOR = 1e-4
"""Share of the light added to each pixel before the root is taken: about what a background of 2 adds to 20,000."""
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
    images : bool
        The images of the coefficients are compared, not the coefficients.
    """

    network: Callable[[int, int, int], nn.Module]
    channels: dict[str, int]
    modes: tuple[int, ...]
    images: bool = False


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
        """Return the error; `rms_waves` is that of the wavefront.

        Of coefficients: quadratic for small ones. Of images: squared distance of the roots (Hellinger), whose noise is
        the same everywhere.
        """
        waves: Tensor = network(samples.counts)
        rms = (waves - samples.waves).detach().square().sum(1).sqrt().mean()
        if self._kind.images:
            error = self._between_images(waves, samples)
            return Losses({"images": error.detach(), "rms_waves": rms}, 10 * error)
        error = functional.smooth_l1_loss(waves, samples.waves, beta=BEND_WAVES)
        return Losses({"wavefront": error.detach(), "rms_waves": rms}, 100 * error)

    def _between_images(self, waves: Tensor, samples: Stacks) -> Tensor:
        focus_nm = waves[:, 2] / self._simulator.position.defocus_waves_per_nm
        light = self._simulator.light(waves, focus_nm, samples.blur)
        roots = (torch.sqrt(torch.relu(part) + FLOOR) for part in (light, samples.light))
        told, true = roots
        return (told - true).square().sum((2, 3)).mean()
