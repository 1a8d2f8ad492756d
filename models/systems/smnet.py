"""smNet: a crop with one emitter -> x and y, or z: Zhang et al., Nat. Methods 15, 913 (2018).

Of the paper: each quantity has a network of its own, crops are divided by their own maximum, convolutions of 7 and 5
pixels in front of residual blocks that widen in three steps, convolutions of one pixel behind them, answers are
clipped to the range of the training, and errors count in Cramer-Rao bounds. `accurate` is that trunk, 2.7 GMAC for a
crop of 32 x 32. `fast` has the same parts with a quarter of the channels at half resolution. Chosen here: crops as
large as the spot needs, learning rate and its schedule. Orientation and aberrations are not built yet.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

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
POINTWISE, HIDDEN = (128, 64), 10
"""Channels of the convolutions of one pixel; units of the hidden layer."""


class Block(nn.Module):
    """Three convolutions of n/4, n/2 and n channels around a shortcut."""

    def __init__(self, inputs: int, n: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            *_convolution(inputs, n // 4, 3), *_convolution(n // 4, n // 2, 3), *_convolution(n // 2, n, 3)[:-1]
        )
        self.shortcut = nn.Identity() if inputs == n else nn.Sequential(*_convolution(inputs, n, 1)[:-1])
        self.activation = nn.PReLU()

    def forward(self, x: Tensor) -> Tensor:
        """(b, inputs, y, x) -> (b, n, y, x)."""
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


def _convolution(inputs: int, outputs: int, side: int, stride: int = 1) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, outputs, side, stride, padding=side // 2, bias=False), nn.BatchNorm2d(outputs), nn.PReLU()
    ]  # fmt: skip


AXIAL = Kind(SmNet, SIZES, ("z_nm",), "bound")
LATERAL = Kind(SmNet, SIZES, ("x_px", "y_px"), "bound")
