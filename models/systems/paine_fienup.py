"""A start for phase retrieval from one strongly aberrated image: Paine & Fienup, Opt. Lett. 43, 1235 (2018).

The paper takes an Inception network and Zernike orders 2 to 5, and refines by gradients. Chosen here: a small network
of Inception modules (Szegedy et al. 2015: filters of several widths side by side) without normalisation layers; the
image is taken at a known defocus, without which even aberrations have no sign; Noll 5 to 21, tilt and focus besides.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.aberrations.wavefront import NOLL
from models.layers import keep_size
from models.systems.moeckl_phase import FIRST_ANSWER, comparable
from models.systems.wavefronts import Kind

MODES = tuple(range(5, 22))
SIZES = {"fast": 24, "accurate": 48}
"""Name of a size -> channels of each branch at half resolution."""


class Inception(nn.Module):
    """Filters of 1, 3 and 5 pixels and a pooled one, side by side; a shortcut where the shape stays."""

    def __init__(self, inputs: int, branch: int) -> None:
        super().__init__()
        self.one = nn.Conv2d(inputs, branch, 1)
        self.three = nn.Sequential(nn.Conv2d(inputs, branch, 1), nn.SiLU(), nn.Conv2d(branch, branch, 3, padding=1))
        self.five = nn.Sequential(
            nn.Conv2d(inputs, branch, 1), nn.SiLU(), nn.Conv2d(branch, branch, 3, padding=1), nn.SiLU(),
            nn.Conv2d(branch, branch, 3, padding=1),
        )  # fmt: skip
        self.pooled = nn.Sequential(nn.AvgPool2d(3, 1, 1), nn.Conv2d(inputs, branch, 1))
        self.same = inputs == 4 * branch

    def forward(self, x: Tensor) -> Tensor:
        """(b, inputs, y, x) -> (b, 4 branch, y, x)."""
        joined = torch.cat((self.one(x), self.three(x), self.five(x), self.pooled(x)), dim=1)
        return functional.silu(x + joined if self.same else joined)


class InceptionNetwork(nn.Module):
    """Images in, coefficients out.

    Parameters
    ----------
    slices, size_px : int
        Of the stacks; one slice in the paper.
    branch : int
        Channels of a branch at half resolution; twice as many at a quarter.
    """

    def __init__(self, slices: int, size_px: int, branch: int) -> None:
        super().__init__()
        half = (size_px + 1) // 2
        quarter = (half + 1) // 2
        coarse, b = (quarter + 1) // 2, branch
        last = nn.Linear(256, len(NOLL))
        self.layers = nn.Sequential(
            nn.PixelUnshuffle(2), nn.Conv2d(4 * (slices + 1), 4 * b, 3, padding=1), nn.SiLU(), Inception(4 * b, b),
            nn.Conv2d(4 * b, 8 * b, 3, stride=2, padding=1), nn.SiLU(), Inception(8 * b, 2 * b),
            Inception(8 * b, 2 * b), nn.Conv2d(8 * b, 4 * b, 3, stride=2, padding=1), nn.SiLU(), Inception(4 * b, b),
            nn.Flatten(), nn.Linear(4 * b * coarse**2, 256), nn.SiLU(), last,
        )  # fmt: skip
        keep_size(self)
        with torch.no_grad():
            last.weight *= FIRST_ANSWER

    def forward(self, counts: Tensor) -> Tensor:
        """Return (b, 27) waves of images (b, k, y, x), photo-electrons over the excess noise factor."""
        waves: Tensor = self.layers(comparable(counts))
        return waves


KIND = Kind(InceptionNetwork, SIZES, MODES)
