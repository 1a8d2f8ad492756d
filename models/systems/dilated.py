"""The dilated trunk of DeepSTORM3D (Nehme et al., Nat. Methods 17, 2020), and a localizer on it that tells a list.

Six 3 x 3 convolutions at the camera's resolution, their dilations 1, 1, 2, 4, 8, 16, so that each pixel sees the whole
of a spot as large as a tetrapod's; the frame itself is given to each of them anew, and each adds to what there is.

`deepstorm3d-list` reads emitters off that trunk as every localizer of this project says them (`models/prediction.py`),
instead of off a volume of voxels: a hundred times fewer numbers for each pixel, uncertainties, and no grid.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models import prediction
from models.layers import BRANCH, OverFrames, keep_size, stabilize
from models.losses import Losses, Target, compact
from models.prediction import Prediction

DILATIONS = (1, 1, 2, 4, 8, 16)
GIVEN = 2
"""Channels of what the network is given, from `stabilize`."""
SLOPE = 0.2
"""Of the leaky rectifier, below zero."""
SIZES = {"fast": 32, "accurate": 64}
"""Name of a size -> channels of the trunk; 64 as published."""


class Trunk(nn.Module):
    """(t, 2, y, x) frames -> (t, channels + 2, y, x): features, and the frames once more.

    Parameters
    ----------
    channels : int
    norm : bool
        Batch normalisation behind each rectifier, as published; else what a block adds starts small.
    """

    def __init__(self, channels: int, norm: bool) -> None:
        super().__init__()
        self.given = nn.BatchNorm2d(GIVEN) if norm else nn.Identity()
        before = [GIVEN] + [channels + GIVEN] * (len(DILATIONS) - 1)
        self.blocks = nn.ModuleList(
            block(b, channels, d, norm) for b, d in zip(before, DILATIONS, strict=True)
        )  # fmt: skip
        keep_size(self)
        if not norm:
            with torch.no_grad():
                for each in self.blocks[1:]:
                    next(each.parameters()).mul_(BRANCH)

    def forward(self, frames: Tensor) -> Tensor:
        """(t, 2, y, x) -> (t, channels + 2, y, x)."""
        given = self.given(frames)
        first, *others = self.blocks
        x: Tensor = first(given)
        for each in others:
            x = x + each(torch.cat((x, given), dim=1))
        return torch.cat((x, given), dim=1)


def block(before: int, after: int, dilation: int, norm: bool) -> nn.Sequential:
    """Return a 3 x 3 convolution with its leaky rectifier and, if asked for, batch normalisation."""
    convolution = nn.Conv2d(before, after, 3, padding=dilation, dilation=dilation)
    return nn.Sequential(convolution, nn.LeakyReLU(SLOPE), *([nn.BatchNorm2d(after)] if norm else []))


class DilatedLocalizer(OverFrames):
    """The trunk, and on it the channels of `Prediction` for each camera pixel; it looks at one frame alone.

    Parameters
    ----------
    channels : int
    """

    stride, dimensions = 1, 3

    def __init__(self, channels: int = SIZES["fast"]) -> None:
        super().__init__()
        self.channels = channels
        self.trunk = Trunk(channels, norm=False)
        self.mix = nn.Sequential(nn.Conv2d(channels + GIVEN, channels, 3, padding=1), nn.ReLU())
        self.head = nn.Conv2d(channels, prediction.channels(self.dimensions), 1)
        keep_size(self.mix)
        with torch.no_grad():
            self.head.weight *= 0.1
            assert self.head.bias is not None
            self.head.bias.zero_()
            self.head.bias[0] = -5.0

    def encode(self, counts: Tensor, variance: Tensor) -> Tensor:
        """(t, y, x) counts, (y, x) or (t, y, x) variance -> (t, c, y, x) features."""
        features: Tensor = self.mix(self.trunk(stabilize(counts, variance)))
        return features

    def encode_three(self, counts: Tensor, variance: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the features of the middle frame in the place of all: nothing else is looked at."""
        now = self.encode(counts[:, 1], variance)
        return now, now, now

    def hidden(self, before: Tensor, now: Tensor, after: Tensor) -> Tensor:
        """Return the features of frame t."""
        return now

    def read(self, hidden: Tensor) -> Tensor:
        """(t, c, y, x) features -> (t, 10, y, x) raw channels."""
        raw: Tensor = self.head(hidden)
        return raw

    def activate(self, raw: Tensor, dim: int) -> Prediction:
        """Turn raw channels into a `Prediction`."""
        return prediction.activate(raw, dim)


def losses(network: DilatedLocalizer, raw: Tensor, target: Target) -> Losses:
    """Return the loss of raw channels (b, 10, y, x)."""
    return compact(network.activate(raw, 1), target)
