"""The default localizer: any spot, in two or three dimensions, three frames of context, each frame encoded once.

Pixels are unshuffled to half resolution, an encoder sees each frame alone, a trunk sees the features of frames t-1, t
and t+1 at half and at a quarter of the resolution, and a last convolution gives the channels of `Prediction` for each
camera pixel. ReLU only, no normalisation layers: what runs is what was trained.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import Tensor, nn

from models import prediction
from models.layers import OverFrames, Residual, stabilize
from models.losses import Losses, Target, compact
from models.prediction import Prediction

SIZES = {"fast": 32, "accurate": 60}
"""Name of a size -> channels at half resolution."""
Z_CHANNEL = 3
"""Of the raw channels in three dimensions."""


class DefaultLocalizer(OverFrames):
    """Frames in, the channels of `Prediction` for each camera pixel out.

    Parameters
    ----------
    channels : int
        Features at half resolution; twice as many at a quarter.
    dimensions : {2, 3}
    """

    stride, joined = 2, MappingProxyType({"context.0.weight": 3})

    def __init__(self, channels: int = SIZES["fast"], dimensions: int = 3) -> None:
        super().__init__()
        self.channels, self.dimensions = channels, dimensions
        c = channels
        self.encoder = nn.Sequential(
            nn.PixelUnshuffle(2), nn.Conv2d(8, c, 3, padding=1), nn.ReLU(), Residual(c), Residual(c)
        )
        self.context = nn.Sequential(nn.Conv2d(3 * c, c, 1), nn.ReLU(), Residual(c), Residual(c, dilation=2))
        self.coarse = nn.Sequential(
            nn.Conv2d(c, 2 * c, 3, stride=2, padding=1),
            nn.ReLU(),
            Residual(2 * c),
            Residual(2 * c, dilation=2),
            nn.Conv2d(2 * c, c, 1),
            nn.Upsample(scale_factor=2, mode="nearest"),
        )
        self.fine = nn.Sequential(Residual(c, dilation=4), Residual(c), nn.Conv2d(c, c, 3, padding=1), nn.ReLU())
        self.head = nn.Sequential(nn.Conv2d(c, 4 * prediction.channels(dimensions), 1), nn.PixelShuffle(2))
        self._start_with_few_detections()

    def _start_with_few_detections(self) -> None:
        last = self.head[0]
        assert isinstance(last, nn.Conv2d)
        assert last.bias is not None
        with torch.no_grad():
            last.weight *= 0.1
            last.bias.zero_()
            last.bias[:4] = -5.0

    def encode(self, counts: Tensor, variance: Tensor) -> Tensor:
        """(t, y, x) counts, (y, x) or (t, y, x) variance -> (t, c, y/2, x/2) features."""
        features: Tensor = self.encoder(stabilize(counts, variance))
        return features

    def locate(self, before: Tensor, now: Tensor, after: Tensor) -> Tensor:
        """Features of frames t-1, t, t+1, each (t, c, y/2, x/2) -> (t, channels, y, x) raw channels for frame t."""
        x = self.context(torch.cat((before, now, after), dim=1))
        x = self.fine(x + self.coarse(x))
        raw: Tensor = self.head(x)
        return raw

    def turned_over(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the weights of a network in depth that says -z where this one says z."""
        channel = slice(4 * Z_CHANNEL, 4 * (Z_CHANNEL + 1))  # four pixels of the shuffle
        result = dict(weights)
        for name in ("head.0.weight", "head.0.bias"):
            result[name] = weights[name].clone()
            result[name][channel] *= -1
        return result

    def activate(self, raw: Tensor, dim: int) -> Prediction:
        """Turn raw channels into a `Prediction`."""
        return prediction.activate(raw, dim)


def losses(network: DefaultLocalizer, raw: Tensor, target: Target) -> Losses:
    """Return the loss of raw channels (b, channels, y, x)."""
    return compact(network.activate(raw, 1), target)
