"""Bounds of crops by their light, background and height, averaged over the pupils of a training.

Decision: the exact bound of a crop in two planes with 21 aberrations takes 50 images, more than the network's step.
Information is averaged over pupils instead, at some heights. For N photons on b of background (read noise included)
    I = N sum (dh dh') / (h + b / N),   so   sigma(N, b) = s(b / N) / sqrt(N),
and s is kept by height and b / N.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from models.crops.bounds import expected_counts
from models.crops.spots import CropSpots
from models.optics.crlb import bounds, fisher
from models.sample_space import SampleSpace

HEIGHTS, PUPILS, LEVELS = 7, 8, (-5.0, 0.0, 11)
"""Heights and pupils at each; powers of ten of b / N."""
SEED = 83_000


class BoundTable:
    """Bounds of all columns of the truth but what is known of a crop.

    Parameters
    ----------
    spots : CropSpots
    space : SampleSpace
        Of the training.
    pupils : int
        At each height.
    """

    def __init__(self, spots: CropSpots, space: SampleSpace, pupils: int = PUPILS) -> None:
        z = space["z_nm"]
        self._heights = torch.linspace(z.low, z.high, HEIGHTS)
        rng = np.random.default_rng(SEED)
        self._log_sigma = torch.stack(
            [self._at(spots, space, float(height), pupils, rng) for height in self._heights]
        )  # fmt: skip

    def of(self, truth: Tensor, variance: Tensor) -> Tensor:
        """Return the bounds (b, k) of crops with such truth (b, k) and variance of the read noise (b, ..., y, x)."""
        photons = truth[:, 3]
        level = (truth[:, 4] + variance.flatten(1).mean(1)) / photons
        low, high, count = LEVELS
        at = (torch.log10(level).clamp(low, high) - low) / (high - low) * (count - 1)
        below = at.floor().clamp(max=count - 2).long()
        part = (at - below)[:, None]
        row = (truth[:, 2:3].cpu() - self._heights).abs().argmin(1)
        table = self._log_sigma.to(truth.device)[row.to(truth.device)]
        each = torch.arange(len(truth), device=truth.device)
        sigma = torch.exp((1 - part) * table[each, below] + part * table[each, below + 1])
        scale = torch.sqrt(photons)[:, None]
        light = torch.zeros(sigma.shape[1], dtype=torch.bool, device=truth.device)
        light[3:5] = True  # photons and background change the image by their own unit, all others by N times theirs
        found = sigma * torch.where(light, scale, 1 / scale)
        unknown = torch.full((len(truth), truth.shape[1] - found.shape[1]), torch.inf, device=truth.device)
        return torch.cat((found, unknown), dim=1)

    def _at(
        self, spots: CropSpots, space: SampleSpace, height: float, pupils: int, rng: np.random.Generator
    ) -> Tensor:  # fmt: skip
        """Return logarithms of s at a height, (levels, parameters)."""
        drawn = [space.sample(rng) for _ in range(pupils)]
        offset = space["offset_px"]
        rows = [
            (*rng.uniform(offset.low, offset.high, 2), height, 1.0, 0.0, *(one[name] for name in spots.further))
            for one in drawn
        ]
        share, jacobian = expected_counts(spots, torch.tensor(rows, dtype=torch.float32), of_further=True)
        low, high, count = LEVELS
        found = []
        for power in torch.linspace(low, high, count).tolist():
            information = fisher(jacobian.double(), share.double().clamp(min=0) + 10**power)
            found.append(bounds(information.mean(0, keepdim=True))[0])
        return torch.log(torch.stack(found)).float()
