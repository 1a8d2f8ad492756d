"""BGnet: a crop with one molecule -> the background under it (Moeckl, Roy, Petrov & Moerner, PNAS 117, 60, 2020).

A U-Net: two convolutions of 16, 32 and 128 channels with batch normalisation and ReLU on three levels, a fourth of 256
for crops of 40 pixels, and back up with what was there before beside it. Chosen here: counts are given in units of the
mean of the crop's edge, with the logarithm of that mean as a channel; the answer is in the same units.
"""

from __future__ import annotations

from itertools import pairwise
from math import log

import torch
from torch import Tensor, nn

from models.backgrounds.crops import Crops, CropSimulator
from models.backgrounds.space import LEAST
from models.losses import Losses
from models.optics.low_rank import LowRankSpot
from models.recipe import Recipe
from models.sample_space import SampleSpace
from models.training_spots import SpotInDepth, SpotsInFocus, TrainingSpots

LEVELS, LARGE, DEEPEST = (16, 32, 128), 40, 256
"""Channels of each level; crops of `LARGE` pixels and more have one more."""
MIDDLE = log(30.0)


def _twice(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
        nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
    )  # fmt: skip


class BGnet(nn.Module):
    """Crops in, backgrounds out.

    Parameters
    ----------
    crop_px : int
        Edge of a crop; a multiple of 4, of 8 from `LARGE` pixels on.
    """

    def __init__(self, crop_px: int) -> None:
        super().__init__()
        levels = (*LEVELS, DEEPEST) if crop_px >= LARGE else LEVELS
        self.down = nn.ModuleList(_twice(a, b) for a, b in zip((2, *levels), levels, strict=False))
        self.up = nn.ModuleList(_twice(a + b, b) for b, a in pairwise(levels))
        self.last = nn.Conv2d(levels[0], 1, 1)
        self.pool, self.enlarge = nn.MaxPool2d(2), nn.Upsample(scale_factor=2, mode="nearest")

    def forward(self, counts: Tensor) -> Tensor:
        """Return the background (b, y, x) of crops (b, y, x), photo-electrons over the excess noise factor."""
        edge = torch.cat((counts[:, 0], counts[:, -1], counts[:, :, 0], counts[:, :, -1]), dim=1)
        level = edge.mean(dim=1).clamp(min=LEAST)[:, None, None]
        x = torch.stack((counts / level, (torch.log(level) - MIDDLE).expand_as(counts)), dim=1)
        seen = []
        for k, layer in enumerate(self.down):
            x = layer(self.pool(x) if k else x)
            seen.append(x)
        for layer, before in zip(reversed(self.up), reversed(seen[:-1]), strict=True):
            x = layer(torch.cat((self.enlarge(x), before), dim=1))
        background: Tensor = level * torch.relu(1 + self.last(x).squeeze(1))
        return background


class BackgroundOfCrops:
    """BGnet as the trainer sees it.

    Parameters
    ----------
    recipe : Recipe
        `patch_px` is the crop.
    space : SampleSpace
    spot : LowRankSpot or None
        None: Gaussian spots in focus, of any width.
    device : str
    """

    def __init__(self, recipe: Recipe, space: SampleSpace, spot: LowRankSpot | None, device: str) -> None:
        spots: TrainingSpots = SpotInDepth(spot, space) if spot else SpotsInFocus()
        self._crop_px = recipe.patch_px
        self._simulator = CropSimulator(spots, space, recipe.batch, recipe.patch_px, device)

    def network(self) -> BGnet:
        """Return the network, untrained."""
        return BGnet(self._crop_px)

    def draw(self, seed: int, step: int) -> Crops:
        """Return the crops of a step."""
        return self._simulator.draw(seed, step)

    def losses(self, network: BGnet, samples: Crops) -> Losses:
        """Return the square of the error over the mean background of each crop."""
        mean = samples.background.mean((1, 2), keepdim=True).clamp(min=LEAST)
        error = ((network(samples.counts) - samples.background) / mean).square().mean()
        return Losses({"background": error.detach()}, error)
