"""The 2D localizer: a compact network in the manner of DECODE (Speiser et al. 2021) for data in focus.

Each frame is encoded once at half resolution; the trunk sees the features of frames t-1, t and t+1. No
normalisation layers: what runs is what was trained. Camera counts are first turned into Poisson-like counts, so the
network need not know the camera: photo-electrons divided by the excess noise factor F**2 have a variance equal to
their mean behind an EM register too, and a map of read noise is the second input channel.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

OUTPUTS = ("logit", "dx", "dy", "log_counts", "sigma_x", "sigma_y", "sigma_log_counts", "sqrt_background")
OFFSET_RANGE_PX = 1.5
MIN_SIGMA = 0.003


class Prediction(NamedTuple):
    """What the network says of every pixel; each (..., y, x) float. Counts are photo-electrons / F**2.

    Attributes
    ----------
    logit : detection
    dx, dy : offset of the emitter from the centre of the pixel, pixels
    log_counts : natural logarithm of the emitter's counts
    sigma_x, sigma_y : 1-sigma uncertainty, pixels
    sigma_log_counts : 1-sigma uncertainty of log_counts
    sqrt_background : square root of the background, counts per pixel
    """

    logit: Tensor
    dx: Tensor
    dy: Tensor
    log_counts: Tensor
    sigma_x: Tensor
    sigma_y: Tensor
    sigma_log_counts: Tensor
    sqrt_background: Tensor


def activate(raw: Tensor, dim: int) -> Prediction:
    """Turn the eight raw output channels along `dim` into a `Prediction`; acts on maps and on gathered rows alike."""
    logit, dx, dy, log_counts, sx, sy, sn, background = raw.unbind(dim)
    return Prediction(
        logit=logit,
        dx=OFFSET_RANGE_PX * torch.tanh(dx),
        dy=OFFSET_RANGE_PX * torch.tanh(dy),
        log_counts=6.5 + log_counts,
        sigma_x=MIN_SIGMA + functional.softplus(sx - 1.5),
        sigma_y=MIN_SIGMA + functional.softplus(sy - 1.5),
        sigma_log_counts=MIN_SIGMA + functional.softplus(sn - 1.5),
        sqrt_background=4.0 + 4.0 * background,
    )


def stabilize(counts: Tensor, variance: Tensor) -> Tensor:
    """Make the network's two input channels: counts with stable variance (Anscombe 1948), and read noise.

    Parameters
    ----------
    counts : (t, y, x) float
        Photo-electrons / F**2.
    variance : (y, x) or (t, y, x) float
        Read-noise variance in the same counts, squared.

    Returns
    -------
    (t, 2, y, x) float
    """
    noise = variance.expand(counts.shape)
    signal = (torch.sqrt(torch.relu(counts + noise) + 1.0) - 3.5) / 3.0
    return torch.stack((signal, torch.log1p(noise)), dim=1)


class Residual(nn.Module):
    """Two 3x3 convolutions around a shortcut; the second starts small so that a deep stack trains without norms."""

    def __init__(self, channels: int, dilation: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        with torch.no_grad():
            self.second.weight *= 0.2

    def forward(self, x: Tensor) -> Tensor:
        """(t, c, y, x) -> (t, c, y, x)."""
        return torch.relu(x + self.second(torch.relu(self.first(x))))


class Localizer2D(nn.Module):
    """Frames in, eight numbers per camera pixel out.

    Parameters
    ----------
    channels : int
        Feature channels at half resolution; twice as many at a quarter.
    """

    def __init__(self, channels: int = 32) -> None:
        super().__init__()
        self.channels = channels
        self.encoder = nn.Sequential(
            nn.PixelUnshuffle(2), nn.Conv2d(8, channels, 3, padding=1), nn.ReLU(), Residual(channels)
        )
        self.context = nn.Sequential(nn.Conv2d(3 * channels, channels, 1), nn.ReLU(), Residual(channels))
        self.coarse = nn.Sequential(
            nn.Conv2d(channels, 2 * channels, 3, stride=2, padding=1),
            nn.ReLU(),
            Residual(2 * channels),
            Residual(2 * channels, dilation=2),
            nn.Conv2d(2 * channels, channels, 1),
            nn.Upsample(scale_factor=2, mode="nearest"),
        )
        self.fine = nn.Sequential(Residual(channels), nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU())
        self.head = nn.Sequential(nn.Conv2d(channels, 4 * len(OUTPUTS), 1), nn.PixelShuffle(2))
        self._start_with_few_detections()

    def _start_with_few_detections(self) -> None:
        last = self.head[0]
        assert isinstance(last, nn.Conv2d)
        assert last.bias is not None
        with torch.no_grad():
            last.weight *= 0.1
            last.bias.zero_()
            last.bias[:4] = -5.0

    def encode(self, inputs: Tensor) -> Tensor:
        """(t, 2, y, x) stabilised counts -> (t, c, y/2, x/2) features; y and x are multiples of 4."""
        features: Tensor = self.encoder(inputs)
        return features

    def locate(self, before: Tensor, now: Tensor, after: Tensor) -> Tensor:
        """Features of frames t-1, t, t+1, each (t, c, y/2, x/2) -> (t, 8, y, x) raw outputs for frame t."""
        x = self.context(torch.cat((before, now, after), dim=1))
        x = self.fine(x + self.coarse(x))
        raw: Tensor = self.head(x)
        return raw

    def forward(self, counts: Tensor, variance: Tensor) -> Prediction:
        """Predict the middle one of three frames.

        Parameters
        ----------
        counts : (b, 3, y, x) float
            Photo-electrons / F**2 of three consecutive frames.
        variance : (b, y, x) float
            Read-noise variance of each pixel.
        """
        b, t, height, width = counts.shape
        noise = variance[:, None].expand_as(counts).reshape(b * t, height, width)
        features = self.encode(stabilize(counts.reshape(b * t, height, width), noise))
        before, now, after = features.reshape(b, t, *features.shape[1:]).unbind(1)
        return activate(self.locate(before, now, after), dim=1)
