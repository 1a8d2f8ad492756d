"""What the localizers are built from: a stable input, residual blocks without norms, three frames of context."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor, nn

from models.prediction import Prediction


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


BRANCH = 0.2
"""Size of what a residual block adds at first."""


class Residual(nn.Module):
    """Two 3x3 convolutions around a shortcut; the second starts small so that a deep stack trains without norms."""

    def __init__(self, channels: int, dilation: int = 1, activation: Callable[[Tensor], Tensor] = torch.relu) -> None:
        super().__init__()
        self._activation = activation
        self.first = nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        with torch.no_grad():
            self.second.weight *= BRANCH

    def forward(self, x: Tensor) -> Tensor:
        """(t, c, y, x) -> (t, c, y, x)."""
        return self._activation(x + self.second(self._activation(self.first(x))))


def keep_size(network: nn.Module) -> None:
    """Draw weights anew so that a signal keeps its size from layer to layer (He et al. 2015); in place.

    With torch's own it shrinks by a third in each, and ten layers without norms never begin to learn.
    """
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    for layer in network.modules():
        if isinstance(layer, Residual):
            with torch.no_grad():
                layer.second.weight *= BRANCH


class OverFrames(nn.Module):
    """A localizer that encodes each frame once and looks at the features of three.

    Attributes
    ----------
    channels, stride : int
        Of the features of a frame, and of those that its last layers read: how many there are, and camera pixels from
        one to the next.
    dimensions : int
        2 or 3.
    joined : mapping of name to int
        Convolutions whose inputs are the features of so many frames, one behind the other.
    """

    channels: int
    stride: int
    dimensions: int
    joined: Mapping[str, int] = MappingProxyType({})

    def encode(self, counts: Tensor, variance: Tensor) -> Tensor:
        """(t, y, x) counts, (y, x) or (t, y, x) variance -> (t, c, y/stride, x/stride); y, x are multiples of 4."""
        raise NotImplementedError

    def hidden(self, before: Tensor, now: Tensor, after: Tensor) -> Tensor:
        """Features of frames t-1, t and t+1, each (t, c, y/stride, x/stride) -> those for frame t, as many."""
        raise NotImplementedError

    def read(self, hidden: Tensor) -> Tensor:
        """(t, c, y/stride, x/stride) features, from `hidden` -> raw channels (t, channels, y, x) for frame t."""
        raise NotImplementedError

    def locate(self, before: Tensor, now: Tensor, after: Tensor) -> Tensor:
        """Features of frames t-1, t and t+1 -> raw channels (t, channels, y, x) for frame t."""
        return self.read(self.hidden(before, now, after))

    def activate(self, raw: Tensor, dim: int) -> Prediction:
        """Turn raw channels along `dim` into a `Prediction`; acts on maps and on gathered rows alike."""
        raise NotImplementedError

    def forward(self, counts: Tensor, variance: Tensor) -> Tensor:
        """Return raw channels for the middle one of three frames; as `encode_three`."""
        return self.locate(*self.encode_three(counts, variance))

    def encode_three(self, counts: Tensor, variance: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the features of three frames, each (b, c, y/stride, x/stride).

        Parameters
        ----------
        counts : (b, 3, y, x) float
            Photo-electrons / F**2 of three consecutive frames.
        variance : (b, y, x) float
            Read-noise variance of each pixel.
        """
        b, t, height, width = counts.shape
        noise = variance[:, None].expand_as(counts).reshape(b * t, height, width)
        features = self.encode(counts.reshape(b * t, height, width), noise)
        before, now, after = features.reshape(b, t, *features.shape[1:]).unbind(1)
        return before, now, after
