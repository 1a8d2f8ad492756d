"""Crops behind an open pupil -> colour, and z: Kim, Moon & Xu, Nat. Commun. 10, 1996 (2019).

Of the paper: no optics are added; single molecules of two dyes are told apart by how their spots differ behind an
ordinary objective; one fully connected network tells the colour, another one z. `accurate` has hidden layers of
4096, 4096, 2048 and 1024 units, which is from memory and unchecked. Chosen here: `fast` with an eighth of them; crops
of 16 x 16 pixels in units of their noise; simulated crops instead of measured ones; z with its uncertainty, by the
likelihood of a Gaussian.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from models.layers import keep_size
from models.systems.colouring import Kind
from models.systems.reading import channels_of

SIZES = {"fast": (512, 512, 256, 128), "accurate": (4096, 4096, 2048, 1024)}
"""Name of a size -> units of the hidden layers."""
CHANNELS, FIRST_ANSWER = 4, 0.1
"""Of `channels_of`; size of an untrained network's answer."""


class FullyConnected(nn.Module):
    """Crops in, numbers out, through layers that each see all of a crop.

    Parameters
    ----------
    crop_px : int
    outputs : int
        Numbers for each crop.
    hidden : tuple of int
        Units of each hidden layer.
    """

    def __init__(self, crop_px: int, outputs: int, hidden: tuple[int, ...]) -> None:
        super().__init__()
        widths = (CHANNELS * crop_px**2, *hidden)
        inner = [layer for pair in pairwise(widths) for layer in (nn.Linear(*pair), nn.ReLU())]
        last = nn.Linear(hidden[-1], outputs)
        self.layers = nn.Sequential(nn.Flatten(), *inner, last)
        keep_size(self)
        last.weight.data *= FIRST_ANSWER

    def forward(self, counts: Tensor, variance: Tensor) -> Tensor:
        """Return (b, outputs) of crops (b, y, x), photo-electrons over F^2, and the variance of their read noise."""
        said: Tensor = self.layers(channels_of(counts, variance))
        return said


KIM = Kind(FullyConnected, SIZES, finds_z=True)
