"""What the localizers are built from: the input with a stable variance, and a residual block that needs no norms."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def stabilize(counts: Tensor, variance: Tensor) -> Tensor:
    """Make a network's two input channels: counts with stable variance (Anscombe 1948), and read noise.

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
