"""Networks that tell colours by the shape of the spot, as the trainer sees them: simulated crops, and the loss.

Cross entropy of the colour; where the network finds z too, the negative log likelihood of a Gaussian is added.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.colours.dyes import dyes_of
from models.colours.samples import ColourCrops, ColourSimulator
from models.colours.spots import dye_spots
from models.losses import Losses
from models.recipe import Recipe
from models.sample_space import SampleSpace
from models.systems.reading import SURE, UNSURE

CHANNEL = ("channel", "channel_probability")
DEPTH = ("z_nm", "sigma_z_nm")


class Kind(NamedTuple):
    """What differs between such systems.

    Attributes
    ----------
    network : callable
        Side of the crops, numbers said of each, size -> network: counts and variance (b, y, x) -> numbers.
    sizes : mapping of str to tuple of int
        By name of a size, how wide its layers are.
    finds_z : bool
        By a second network of the same kind.
    """

    network: Callable[[int, int, tuple[int, ...]], nn.Module]
    sizes: Mapping[str, tuple[int, ...]]
    finds_z: bool


class ColourReader(nn.Module):
    """One network for the colour and, where z is found, one for z, with what their numbers mean.

    Parameters
    ----------
    colour : nn.Module
        Counts and variance (b, y, x) -> (b, colours).
    depth : nn.Module or None
        The same -> (b, 2): z, and the logarithm of its standard deviation, in units of half the range.
    z_scale_nm : (float, float)
        Middle of the range of z, and half of its length.

    Attributes
    ----------
    planes : int
        Of a crop.
    """

    planes = 1

    def __init__(self, colour: nn.Module, depth: nn.Module | None, z_scale_nm: tuple[float, float]) -> None:
        super().__init__()
        self.colour, self.depth, self.z_scale_nm = colour, depth, z_scale_nm

    def forward(self, counts: Tensor, variance: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return logits (b, colours), and z and the logarithm of its standard deviation (b, 2) as they are learned.

        Parameters
        ----------
        counts : (b, y, x) float
            Photo-electrons over F^2.
        variance : (b, y, x) float
            Of the read noise, in the same counts squared.
        """
        logits: Tensor = self.colour(counts, variance)
        if self.depth is None:
            return logits, None
        z, spread = self.depth(counts, variance).chunk(2, dim=1)
        return logits, torch.cat((z, spread.clamp(SURE, UNSURE)), dim=1)

    def table(self, counts: Tensor, variance: Tensor) -> Tensor:
        """Return a row for each crop, in the order of `columns`; parameters as of `forward`."""
        logits, depth = self(counts, variance)
        probability, channel = torch.softmax(logits, dim=1).max(dim=1)
        said = torch.stack((channel.to(logits.dtype), probability), dim=1)
        if depth is None:
            return said
        middle, half = self.z_scale_nm
        return torch.cat((said, depth[:, :1] * half + middle, torch.exp(depth[:, 1:]) * half), dim=1)

    @property
    def columns(self) -> tuple[str, ...]:
        """Of the table."""
        return CHANNEL if self.depth is None else (*CHANNEL, *DEPTH)


class ColourReading:
    """A network for colours of a recipe.

    Parameters
    ----------
    kind : Kind
    recipe : Recipe
        `patch_px` is the side of the crops.
    space : SampleSpace
        As `models.colours.space`, with the objective's numbers.
    device : str
    """

    def __init__(self, kind: Kind, recipe: Recipe, space: SampleSpace, device: str) -> None:
        self._kind, self._recipe, self._space = kind, recipe, space
        spots = dye_spots(space, recipe.patch_px)
        self._simulator = ColourSimulator(spots, space, recipe.batch, recipe.patch_px, device)

    def network(self) -> ColourReader:
        """Return the network, untrained."""
        kind, side, size = self._kind, self._recipe.patch_px, self._kind.sizes[self._recipe.size]
        colour = kind.network(side, len(dyes_of(self._space)), size)
        return ColourReader(colour, kind.network(side, 2, size) if kind.finds_z else None, self._space.scale("z_nm"))

    def draw(self, seed: int, step: int) -> ColourCrops:
        """Return the crops of a step."""
        return self._simulator.draw(seed, step)

    def losses(self, network: ColourReader, samples: ColourCrops) -> Losses:
        """Return the loss; parts are the share of the colours told rightly, and the error of z in nm."""
        crops, channel = samples
        logits, depth = network(crops.counts, crops.variance)
        colour = functional.cross_entropy(logits, channel)
        parts = {"colour": colour.detach(), "accuracy": (logits.argmax(1) == channel).float().mean()}
        if depth is None:
            return Losses(parts, colour)
        middle, half = network.z_scale_nm
        error = depth[:, 0] - (crops.truth[:, 2] - middle) / half
        likelihood = (0.5 * (error / torch.exp(depth[:, 1])).square() + depth[:, 1]).mean()
        parts |= {"depth": likelihood.detach(), "z_rmse_nm": half * error.detach().square().mean().sqrt()}
        return Losses(parts, colour + likelihood)
