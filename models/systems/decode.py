"""DECODE as published (Speiser et al., Nat. Methods 18, 2021): the yardstick.

One U-Net sees each of three frames, a second one their features together; four heads give ten channels. ELU, strided
convolutions down, nearest-neighbour and 1x1 convolutions up, no normalisation, everything at full resolution. The
features of a frame can be kept for the next two, which the published program does not do.

The loss has three parts: the number of emitters, their likelihood under a mixture of Gaussians with one component for
each pixel of the frame, and the background.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.layers import OverFrames
from models.losses import Losses, Target, count_loss
from models.prediction import Prediction
from models.sample_space import SampleSpace

FEATURES = 48
FEW = -6.0
"""Bias of the detection: about one pixel in 400."""
Z_REACH, BACKGROUND_REACH = 1.2, 1.2
CLAMP, SIGMA_REACH, SIGMA_FLOOR = 8.0, 3.0, 0.001
EMITTERS_AT_ONCE = 64


class Scale(NamedTuple):
    """Units of the network: counts of background and photons."""

    offset: float
    unit: float
    photons: float
    background: float

    @classmethod
    def of(cls, space: SampleSpace) -> Scale:
        """Return the units of a sample space."""
        background, photons = space["background_e"], space["photons"]
        mean = math.sqrt(max(photons.low, 1.0) * photons.high)
        return cls(background.middle, mean / 50, photons.high, BACKGROUND_REACH * background.high)


class Raw(NamedTuple):
    """The ten channels in the network's units, each (..., y, x)."""

    logit: Tensor
    values: Tensor
    sigma: Tensor
    background: Tensor


class Double(nn.Sequential):
    """Two 3x3 convolutions with ELU."""

    def __init__(self, before: int, after: int, activation: type[nn.Module]) -> None:
        super().__init__(
            nn.Conv2d(before, after, 3, padding=1), activation(), nn.Conv2d(after, after, 3, padding=1), activation()
        )


class Up(nn.Module):
    """To twice the resolution, beside what was there on the way down."""

    def __init__(self, channels: int, activation: type[nn.Module]) -> None:
        super().__init__()
        self.wider = nn.Sequential(nn.Upsample(scale_factor=2, mode="nearest"), nn.Conv2d(channels, channels // 2, 1))
        self.mix = Double(channels, channels // 2, activation)

    def forward(self, x: Tensor, beside: Tensor) -> Tensor:
        """(t, c, y, x), (t, c/2, 2y, 2x) -> (t, c/2, 2y, 2x)."""
        mixed: Tensor = self.mix(torch.cat((beside, self.wider(x)), dim=1))
        return mixed


class UNet(nn.Module):
    """Two levels down and up; (t, before, y, x) -> (t, after, y, x)."""

    def __init__(self, before: int, after: int, activation: type[nn.Module]) -> None:
        super().__init__()
        c = FEATURES
        self.top, self.middle = Double(before, c, activation), Double(c, 2 * c, activation)
        self.bottom = Double(2 * c, 4 * c, activation)
        self.down = nn.ModuleList([nn.Conv2d(c, c, 2, stride=2), nn.Conv2d(2 * c, 2 * c, 2, stride=2)])
        self.up = nn.ModuleList([Up(4 * c, activation), Up(2 * c, activation)])
        self.out = nn.Conv2d(c, after, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Y and x are multiples of 4."""
        top = self.top(x)
        middle = self.middle(self.down[0](top))
        bottom = self.bottom(self.down[1](middle))
        features: Tensor = self.out(self.up[1](self.up[0](bottom, middle), top))
        return features


class Decode(OverFrames):
    """Frames in, ten channels for each camera pixel out.

    Parameters
    ----------
    scale : Scale
    activation : type of module
        ELU as published; ReLU is faster where ELU is not fused.
    """

    channels, stride, dimensions = FEATURES, 1, 3

    def __init__(self, scale: Scale, activation: type[nn.Module] = nn.ELU) -> None:
        super().__init__()
        self.scale = scale
        self.shared, self.union = UNet(1, FEATURES, activation), UNet(3 * FEATURES, FEATURES, activation)
        self.heads = nn.ModuleList([_head(outputs, activation) for outputs in (1, 4, 4, 1)])
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
        self._start_with_few_detections()

    def _start_with_few_detections(self) -> None:
        last = self.heads[0]
        assert isinstance(last, nn.Sequential)
        assert isinstance(last[2], nn.Conv2d)
        assert last[2].bias is not None
        nn.init.constant_(last[2].bias, FEW)

    def encode(self, counts: Tensor, variance: Tensor) -> Tensor:
        """(t, y, x) counts -> (t, c, y, x) features; DECODE does not look at the read noise."""
        features: Tensor = self.shared(((counts - self.scale.offset) / self.scale.unit)[:, None])
        return features

    def hidden(self, before: Tensor, now: Tensor, after: Tensor) -> Tensor:
        """Features of frames t-1, t, t+1, each (t, c, y, x) -> (t, c, y, x) features for frame t."""
        features: Tensor = self.union(torch.cat((before, now, after), dim=1))
        return features

    def read(self, hidden: Tensor) -> Tensor:
        """(t, c, y, x) features -> (t, 10, y, x) raw channels, one head beside the other."""
        return torch.cat([head(hidden) for head in self.heads], dim=1)

    def activate(self, raw: Tensor, dim: int) -> Prediction:
        """Turn raw channels into what every localizer says."""
        r, scale = self.interpret(raw, dim), self.scale
        photons, dx, dy, z = r.values.unbind(0)
        spread, *sigma = r.sigma.unbind(0)
        photons = photons.clamp(min=1e-4)
        return Prediction(
            r.logit, torch.stack((dx, dy, Z_REACH * z)), torch.log(photons * scale.photons),
            torch.stack((sigma[0], sigma[1], Z_REACH * sigma[2])), spread / photons,
            torch.sqrt(r.background * scale.background),
        )  # fmt: skip

    @staticmethod
    def interpret(raw: Tensor, dim: int) -> Raw:
        """Apply the published ranges: photons, x, y, z and their sigmas along a new first axis."""
        logit, photons, x, y, z, *sigma, background = raw.unbind(dim)
        values = torch.stack((torch.sigmoid(photons), torch.tanh(x), torch.tanh(y), torch.tanh(z)))
        spread = SIGMA_REACH * torch.sigmoid(torch.stack(sigma)) + SIGMA_FLOOR
        return Raw(logit.clamp(-CLAMP, CLAMP), values, spread, torch.sigmoid(background))


def losses(network: Decode, raw: Tensor, target: Target) -> Losses:
    """Return the published loss of raw channels (b, 10, y, x)."""
    said, scale = network.interpret(raw, 1), network.scale
    number = count_loss(said.logit, target.sample) * len(target.counts) / len(raw)
    true = torch.column_stack((target.counts / scale.photons, target.position[:, :2], target.position[:, 2] / Z_REACH))
    mixture = _mixture(said, true, target.sample)
    background = (said.background - target.background / scale.background).square().sum((1, 2)).mean()
    return Losses({"number": number, "mixture": mixture, "background": background}, 2 * (number + mixture + background))


def _mixture(said: Raw, true: Tensor, sample: Tensor) -> Tensor:
    """Negative log-likelihood of emitters (n, 4) under all pixels of their frame, summed and per sample."""
    b, height, width = said.logit.shape
    p = torch.sigmoid(said.logit).flatten(1)
    log_weight = torch.log(p / p.sum(1, keepdim=True))
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    shift = torch.stack((0 * rows, columns + 0.5, rows + 0.5, 0 * rows)).to(said.values)
    mean, sigma = ((v.movedim(0, 1)).flatten(2) for v in (said.values + shift[:, None], said.sigma))
    total = true.new_zeros(())
    for first in range(0, len(true), EMITTERS_AT_ONCE):
        who, at = sample[first : first + EMITTERS_AT_ONCE], true[first : first + EMITTERS_AT_ONCE]
        u = (at[:, :, None] - mean[who]) / sigma[who]
        log_p = (-0.5 * u**2 - torch.log(sigma[who]) - 0.5 * math.log(2 * math.pi)).sum(1) + log_weight[who]
        total = total - torch.logsumexp(log_p, dim=1).sum()
    return total / b


def _head(outputs: int, activation: type[nn.Module]) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(FEATURES, FEATURES, 3, padding=1), activation(), nn.Conv2d(FEATURES, outputs, 1))
