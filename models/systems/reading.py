"""Networks that read crops with one emitter, as the trainer sees them: simulated crops, and three kinds of loss.

| loss | what is minimised |
|---|---|
| likelihood | negative log likelihood of independent Gaussians: the network says mean and spread of each quantity |
| bound | square error over the Cramer-Rao bound of that very crop (Zhang et al. 2018): no uncertainty is said |
| bound-and-spread | the same with bounds averaged over pupils; beside it the likelihood of the spread alone |

The last one is for aberrations, which only many crops together tell: they can be pooled if each says how sure it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from models.crops.answers import Answers
from models.crops.bound_table import BoundTable
from models.crops.bounds import crop_bounds
from models.crops.build import crop_spots
from models.crops.orientation import OrientationAnswers
from models.crops.samples import EmitterCrops, EmitterSimulator
from models.crops.spots import CropSpots
from models.losses import Losses
from models.optics.low_rank import LowRankSpot
from models.recipe import Recipe
from models.sample_space import SampleSpace
from models.systems.bgnet import border_mean, comparable

SURE, UNSURE = -7.0, 2.0
"""Ends of the logarithm of a standard deviation, in units of half the quantity's range."""


class Kind(NamedTuple):
    """What differs between such systems.

    Attributes
    ----------
    network : callable
        Side of the crops, numbers said of each, channels -> network.
    channels : dict of str to int
        By name of a size.
    names : tuple of str
        Quantities that are answered for, some of `models.crops.samples.truth_names`.
    loss : {"likelihood", "bound", "bound-and-spread"}
        bound: of networks for positions; bound-and-spread: for aberrations.
    """

    network: Callable[[int, int, int], nn.Module]
    channels: dict[str, int]
    names: tuple[str, ...]
    loss: Literal["likelihood", "bound", "bound-and-spread"]


class Reader(nn.Module):
    """A network with what its numbers mean.

    Parameters
    ----------
    network : nn.Module
        Counts and variance (b, y, x) -> numbers.
    answers : Answers or OrientationAnswers
    spread : bool
        Half of the numbers are logarithms of standard deviations.
    """

    def __init__(self, network: nn.Module, answers: Answers | OrientationAnswers, spread: bool) -> None:
        super().__init__()
        self.network, self.answers, self.spread = network, answers, spread
        self.planes = int(getattr(network, "planes", 1))

    def forward(self, counts: Tensor, variance: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return means (b, k) as `Answers.learned` makes them, and their standard deviations, or None.

        Parameters
        ----------
        counts : (b, y, x) or (b, plane, y, x) float
            Photo-electrons over F^2.
        variance : as counts
            Of the read noise, in the same counts squared.
        """
        said: Tensor = self.network(counts, variance)
        if not self.spread:
            return said, None
        mean, spread = said.chunk(2, dim=1)
        return mean, torch.exp(spread.clamp(SURE, UNSURE))

    def table(self, counts: Tensor, variance: Tensor) -> Tensor:
        """Return a row for each crop, in the order of `columns`; parameters as of `forward`."""
        return self.answers.table(*self(counts, variance))

    @property
    def columns(self) -> tuple[str, ...]:
        """Of the table."""
        return self.answers.columns(self.spread)


class CropReading:
    """A network for crops of a recipe.

    Parameters
    ----------
    kind : Kind
    recipe : Recipe
        `patch_px` is the side of the crops.
    space : SampleSpace
        As `models.crops.space.crops_space`, with the objective's numbers.
    spot : LowRankSpot or None
    device : str

    Raises
    ------
    ValueError
        There is no spot, or its pupil is not known although aberrations differ, or a quantity does not differ.
    """

    def __init__(
        self, kind: Kind, recipe: Recipe, space: SampleSpace, spot: LowRankSpot | None, device: str
    ) -> None:  # fmt: skip
        if spot is None and recipe.psf:
            raise ValueError(f"{recipe.system} finds z: train it for a PSF in depth, e.g. astigmatic")
        self._kind, self._recipe, self._space = kind, recipe, space
        self._spots: CropSpots = crop_spots(recipe.psf, space, spot, recipe.patch_px, device)
        self._table = None
        if kind.loss == "bound-and-spread":
            self._table = BoundTable(crop_spots(recipe.psf, space, spot, recipe.patch_px), space)
        self._simulator = EmitterSimulator(self._spots, space, recipe.batch, recipe.patch_px, device)

    def network(self) -> Reader:
        """Return the network, untrained."""
        answers, spread = Answers(self._space, self._kind.names), self._kind.loss != "bound"
        outputs, channels = (1 + spread) * len(self._kind.names), self._kind.channels[self._recipe.size]
        return Reader(self._kind.network(self._recipe.patch_px, outputs, channels), answers, spread)

    def draw(self, seed: int, step: int) -> tuple[EmitterCrops, Tensor | None]:
        """Return the crops of a step, and their bounds where the loss is measured in them."""
        crops = self._simulator.draw(seed, step)
        if self._table is not None:
            return crops, self._table.of(crops.truth, crops.variance)
        return crops, crop_bounds(self._spots, crops) if self._kind.loss == "bound" else None

    def losses(self, network: Reader, samples: tuple[EmitterCrops, Tensor | None]) -> Losses:
        """Return the loss; the root mean square error of each quantity is a part, in units of half its range."""
        crops, bound = samples
        answers = network.answers
        assert isinstance(answers, Answers)
        said, sigma = network(crops.counts, crops.variance)
        error = said - answers.learned(crops.truth)
        rms = error.detach().square().mean(0).sqrt()
        parts = dict(zip(self._kind.names, rms, strict=True))
        total = torch.zeros((), device=error.device)
        if bound is not None:
            total = total + (error * answers.reach / bound[:, answers.column]).square().mean()
            error = error.detach()
        if sigma is not None:
            total = total + (0.5 * (error / sigma).square() + torch.log(sigma)).mean()
        return Losses({"loss": total.detach()} | parts, total)


def channels_of(counts: Tensor, variance: Tensor) -> Tensor:
    """Return channels (b, 4, y, x): those of BGnet, in units of the noise, and the shape of the spot alone."""
    channels = comparable(counts, variance, border_mean(counts))
    above = channels[:, :1]
    shape = above / torch.sqrt(above.square().mean(dim=(1, 2, 3), keepdim=True) + 0.01)
    return torch.cat((channels, shape), dim=1)
