"""BGnet: a crop with one spot and structured background -> the background in each pixel (Moeckl et al., PNAS 117, 60).

Kept of the paper: a U-Net of two convolutions with normalisation at each resolution, 16, 32 and 128 channels, 256 for
crops of 40 pixels, and Perlin noise to learn from. Chosen here: counts become comparable by the level of the crop's own
border and by their noise, and the network says how far the root of the background is from the root of that level. So
its error is minimised in units of the noise, at any exposure.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.backgrounds.samples import Crops, CropSimulator
from models.losses import Losses
from models.optics.low_rank import LowRankSpot
from models.recipe import Recipe
from models.sample_space import SampleSpace
from models.training_spots import training_spots

WIDTHS = (16, 32, 128, 256)
"""Channels from full resolution down."""
DEEP_PX = 40
"""Crops of this side and more have all four resolutions."""
ANSCOMBE = 0.375


class BgNet(nn.Module):
    """Crops in, background out.

    Parameters
    ----------
    crop_px : int
        Side of the crops: a multiple of 4, of 8 where there are four resolutions.
    """

    def __init__(self, crop_px: int) -> None:
        super().__init__()
        widths = WIDTHS if crop_px >= DEEP_PX else WIDTHS[:-1]
        self.down = nn.ModuleList(_double(before, width) for before, width in zip((3, *widths), widths, strict=False))
        self.up = nn.ModuleList(
            _double(below + width, width) for below, width in zip(widths[:0:-1], widths[-2::-1], strict=True)
        )
        self.last = nn.Conv2d(widths[0], 1, 3, padding=1)
        with torch.no_grad():
            self.last.weight *= 0.1

    def forward(self, counts: Tensor, variance: Tensor) -> Tensor:
        """Return the root of the background; negative where it is none.

        Parameters
        ----------
        counts : (b, y, x) float
            Photo-electrons over F^2.
        variance : (b, y, x) float
            Of the read noise, in the same counts squared.

        Returns
        -------
        (b, y, x) float
        """
        level = border_mean(counts)
        x, passed = comparable(counts, variance, level), []
        for block in self.down[:-1]:
            passed.append(block(x))
            x = functional.max_pool2d(passed[-1], 2)
        x = self.down[-1](x)
        for block, same in zip(self.up, reversed(passed), strict=True):
            x = block(torch.cat((functional.interpolate(x, scale_factor=2.0), same), dim=1))
        root: Tensor = torch.sqrt(level) + self.last(x)[:, 0]
        return root

    def background(self, counts: Tensor, variance: Tensor) -> Tensor:
        """Return the expected counts of the background (b, y, x); axes and units as of `forward`."""
        return torch.relu(self(counts, variance)) ** 2


def border_mean(counts: Tensor) -> Tensor:
    """Return the mean of the outermost pixels (b, 1, 1) of crops (b, y, x); not negative."""
    height, width = counts.shape[1:]
    border = counts.sum(dim=(1, 2)) - counts[:, 1:-1, 1:-1].sum(dim=(1, 2))
    return (border / (2 * (height + width) - 4)).clamp(min=0)[:, None, None]


def comparable(counts: Tensor, variance: Tensor, level: Tensor) -> Tensor:
    """Return channels (b, 3, y, x): counts above the level in units of the noise (Anscombe), level, read noise."""
    above = torch.sqrt(torch.relu(counts + variance) + ANSCOMBE) - torch.sqrt(level + variance + ANSCOMBE)
    return torch.stack((above / 3, torch.log1p(level).expand_as(counts) / 3, torch.log1p(variance)), dim=1)


class BackgroundOfCrops:
    """BGnet as the trainer sees it.

    Parameters
    ----------
    recipe : Recipe
        `patch_px` is the side of the crops.
    space : SampleSpace
    spot : LowRankSpot or None
        None: Gaussian spots in focus, of any width.
    device : str
    """

    def __init__(self, recipe: Recipe, space: SampleSpace, spot: LowRankSpot | None, device: str) -> None:
        self._crop_px = recipe.patch_px
        self._simulator = CropSimulator(training_spots(spot, space), space, recipe.batch, recipe.patch_px, device)

    def network(self) -> BgNet:
        """Return the network, untrained."""
        return BgNet(self._crop_px)

    def draw(self, seed: int, step: int) -> Crops:
        """Return the crops of a step."""
        return self._simulator.draw(seed, step)

    def losses(self, network: BgNet, samples: Crops) -> Losses:
        """Return the mean square error of the background's root; `rms_counts` is the error of the background itself."""
        root = network(samples.counts, samples.variance)
        error = (root - torch.sqrt(samples.background)).square().mean()
        rms = (torch.relu(root.detach()) ** 2 - samples.background).square().mean().sqrt()
        return Losses({"background": error.detach(), "rms_counts": rms}, error)


def _double(before: int, width: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs in (before, width):
        layers += [nn.Conv2d(inputs, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    return nn.Sequential(*layers)
