"""smNet: a crop -> x and y, or z, or aberrations: Zhang et al., Nat. Methods 15, 913 (2018).

Of the paper: each quantity has a network of its own, crops are divided by their own maximum, convolutions of 7 and 5
pixels in front of residual blocks that widen in steps, convolutions of one pixel behind them, answers are clipped to
the range of the training, and errors count in Cramer-Rao bounds. `accurate` is that trunk, 2.7 GMAC for a crop of
32 x 32; for 21 aberrations two more groups of blocks follow at a quarter and a sixteenth of the resolution, 34.2
million parameters and 0.24 GMAC for a crop of 16 x 16 in two planes. `fast` has the same parts with a quarter of the
channels at half resolution. Chosen here: crops as large as the spot needs, learning rate and its schedule; each plane
is divided by its own maximum, so that how the light is shared does not matter.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.crops.space import BIPLANE, mode_name, modes_of
from models.systems.reading import Kind


class Trunk(NamedTuple):
    """How wide a network is.

    Attributes
    ----------
    stem : (int, int)
        Channels of the first two convolutions.
    stride : int
        Of the second one.
    blocks : int
        Residual blocks before the one that doubles the channels, and as many behind it.
    """

    stem: tuple[int, int]
    stride: int
    blocks: int


PUBLISHED, LIGHT = Trunk((64, 128), 1, 3), Trunk((16, 32), 2, 2)
SIZES = {"fast": 0, "accurate": 1}
"""Name of a size -> which of `TRUNKS`."""
TRUNKS = (LIGHT, PUBLISHED)
STRIDES = ((2, 4), (4, 4))
"""Of the two blocks that widen the trunk for aberrations, by trunk."""
POINTWISE, HIDDEN = (128, 64), 10
"""Channels of the convolutions of one pixel; units of the hidden layer."""


class Block(nn.Module):
    """Three convolutions of n/4, n/2 and n channels around a shortcut; the second one has the stride."""

    def __init__(self, inputs: int, n: int, stride: int = 1) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            *_convolution(inputs, n // 4, 3), *_convolution(n // 4, n // 2, 3, stride),
            *_convolution(n // 2, n, 3)[:-1],
        )  # fmt: skip
        same = inputs == n and stride == 1
        self.shortcut = nn.Identity() if same else nn.Sequential(*_convolution(inputs, n, 1, stride)[:-1])
        self.activation = nn.PReLU()

    def forward(self, x: Tensor) -> Tensor:
        """(b, inputs, y, x) -> (b, n, y / stride, x / stride)."""
        out: Tensor = self.activation(self.inner(x) + self.shortcut(x))
        return out


class SmNet(nn.Module):
    """Crops in, answers out.

    Parameters
    ----------
    crop_px : int
        Even.
    outputs : int
        Numbers for each crop.
    trunk : int
        Which of `TRUNKS`.
    """

    def __init__(self, crop_px: int, outputs: int, trunk: int) -> None:
        super().__init__()
        (first, n), stride, blocks = TRUNKS[trunk]
        side = crop_px // stride
        self.layers = nn.Sequential(
            *_convolution(1, first, 7), *_convolution(first, n, 5, stride), *(Block(n, n) for _ in range(blocks)),
            Block(n, 2 * n), *(Block(2 * n, 2 * n) for _ in range(blocks)),
            *_convolution(2 * n, POINTWISE[0], 1), *_convolution(POINTWISE[0], POINTWISE[1], 1),
            *_convolution(POINTWISE[1], 1, 1), nn.Flatten(), nn.Linear(side**2, HIDDEN), nn.PReLU(),
            nn.Linear(HIDDEN, outputs), nn.Hardtanh(),
        )  # fmt: skip

    def forward(self, counts: Tensor, variance: Tensor) -> Tensor:
        """Return (b, outputs) from -1 to 1 of crops (b, y, x), photo-electrons over F^2; the noise is not looked at."""
        brightest = counts.amax(dim=(1, 2), keepdim=True).clamp(min=1.0)
        said: Tensor = self.layers((counts / brightest)[:, None])
        return said


class SmNetAberrations(nn.Module):
    """Crops in two planes in; means from -1 to 1, then logarithms of their standard deviations out.

    Parameters
    ----------
    crop_px : int
        A multiple of 16.
    outputs : int
        Means and logarithms together.
    trunk : int
        Which of `TRUNKS`.
    """

    planes = 2

    def __init__(self, crop_px: int, outputs: int, trunk: int) -> None:
        super().__init__()
        (first, n), stride, blocks = TRUNKS[trunk]
        group = partial(_group, blocks=blocks)
        self.layers = nn.Sequential(
            *_convolution(self.planes, first, 7), *_convolution(first, n, 5, stride), *group(n),
            Block(n, 2 * n, STRIDES[trunk][0]), *group(2 * n), Block(2 * n, 8 * n, STRIDES[trunk][1]), *group(8 * n),
            nn.Conv2d(8 * n, outputs, 1),
        )  # fmt: skip

    def forward(self, counts: Tensor, variance: Tensor) -> Tensor:
        """Return (b, outputs) of crops (b, 2, y, x), photo-electrons over F^2; the noise is not looked at."""
        brightest = counts.amax(dim=(2, 3), keepdim=True).clamp(min=1.0)
        mean, spread = self.layers(counts / brightest).mean(dim=(2, 3)).chunk(2, dim=1)
        return torch.cat((nn.functional.hardtanh(mean), spread), dim=1)


def _group(channels: int, blocks: int) -> list[nn.Module]:
    return [Block(channels, channels) for _ in range(blocks)]


def _convolution(inputs: int, outputs: int, side: int, stride: int = 1) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, outputs, side, stride, padding=side // 2, bias=False), nn.BatchNorm2d(outputs), nn.PReLU()
    ]  # fmt: skip


AXIAL = Kind(SmNet, SIZES, ("z_nm",), "bound")
LATERAL = Kind(SmNet, SIZES, ("x_px", "y_px"), "bound")
ABERRATIONS = Kind(SmNetAberrations, SIZES, tuple(map(mode_name, modes_of(BIPLANE))), "bound-and-spread")
