"""The phase network: slices of a bead stack -> the wavefront's 27 coefficients (Moeckl et al., APL 115, 251106, 2019).

The paper gives input (five slices from -1 to 1 um), output (Noll 2 to 28) and kind (residual network). Chosen here: no
normalisation layers, three resolutions, SiLU, and counts that are made comparable by the stack's own light alone: the
root of each pixel's share of it, and its logarithm as a channel, which says how far the noise can be trusted.
"""

from __future__ import annotations

from math import log

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.aberrations.wavefront import NOLL, SHAPE
from models.layers import Residual, keep_size
from models.systems.wavefronts import Kind

SIZES = {"fast": 32, "accurate": 64}
"""Name of a size -> channels at half resolution."""
FIRST_ANSWER = 0.1
"""Size of an untrained network's answer, waves."""
LEVEL, BRIGHT = 100.0, (log(1e5), 2.0)
"""Scale of the shares' roots; middle and half range of the logarithm of the light."""


class PhaseNetwork(nn.Module):
    """Slices in, coefficients out.

    Parameters
    ----------
    slices, size_px : int
        Of the stacks.
    channels : int
        At half resolution; twice and four times as many below.
    """

    def __init__(self, slices: int, size_px: int, channels: int) -> None:
        super().__init__()
        c = channels
        half = (size_px + 1) // 2
        coarse = ((half + 1) // 2 + 1) // 2
        self.body = nn.Sequential(
            nn.PixelUnshuffle(2), nn.Conv2d(4 * (slices + 1), c, 3, padding=1), nn.SiLU(), _residual(c),
            nn.Conv2d(c, 2 * c, 3, stride=2, padding=1), nn.SiLU(), _residual(2 * c), _residual(2 * c, 2),
            nn.Conv2d(2 * c, 4 * c, 3, stride=2, padding=1), nn.SiLU(), _residual(4 * c), _residual(4 * c),
            nn.Conv2d(4 * c, c, 1), nn.SiLU(), nn.Flatten(),
        )  # fmt: skip
        last = nn.Linear(256, len(NOLL))
        self.head = nn.Sequential(nn.Linear(c * coarse**2, 256), nn.SiLU(), last)
        keep_size(self)
        with torch.no_grad():
            last.weight *= FIRST_ANSWER

    def forward(self, counts: Tensor) -> Tensor:
        """Return (b, 27) waves of stacks (b, k, y, x), photo-electrons over the excess noise factor."""
        waves: Tensor = self.head(self.body(comparable(counts)))
        return waves


def _residual(channels: int, dilation: int = 1) -> Residual:
    return Residual(channels, dilation, functional.silu)


def comparable(counts: Tensor) -> Tensor:
    """Return channels (b, k + 1, y, x), padded to even sides, that do not depend on exposure and background.

    The background of a slice is the least mean of its four edges; its light is what is above.
    """
    edges = torch.stack((counts[..., 0, :], counts[..., -1, :], counts[..., :, 0], counts[..., :, -1]), dim=-1)
    background = edges.mean(dim=2).amin(dim=-1)[:, :, None, None].clamp(min=0)
    light = (counts - background).sum(dim=(1, 2, 3), keepdim=True).clamp(min=100.0)
    root = torch.sqrt(torch.relu(counts) + 1.0) - torch.sqrt(background + 1.0)
    middle, half = BRIGHT
    brightness = ((torch.log(light) - middle) / half).expand(-1, 1, *counts.shape[2:])
    channels = torch.cat((LEVEL * root / torch.sqrt(light), brightness), dim=1)
    down, right = counts.shape[2] % 2, counts.shape[3] % 2
    return functional.pad(channels, (0, right, 0, down))


KIND = Kind(PhaseNetwork, SIZES, SHAPE)
BY_IMAGES = KIND._replace(images=True)
"""The same network, trained on the images that its answers stand for."""
