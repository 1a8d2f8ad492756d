"""Weighted points -> emitters: points that are near one another become one, at their weighted mean.

Points are taken in the order of the weight that lies around them: the strongest takes those within the radius, then the
strongest of what is left. Every step is an operation on whole arrays, so that a graph can be made of it.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

ROUNDS = 4
"""A point waits only for stronger ones near it; chains that are longer than this are hardly ever there."""


class Merged(NamedTuple):
    """What became of m points.

    Attributes
    ----------
    weight : (b, m) the sum; 0 for points that were taken by others
    values : (b, m, c) means by weight
    """

    weight: Tensor
    values: Tensor


def merge(place: Tensor, weight: Tensor, values: Tensor, radius: float) -> Merged:
    """Merge the points of each set; whichever is the middle of a group carries it.

    Parameters
    ----------
    place : (b, m, 2) float
        By which distance is measured.
    weight : (b, m) float
        Not negative; points without weight are nowhere.
    values : (b, m, c) float
        What is averaged.
    radius : float
        In the unit of `place`.
    """
    square = (place[:, :, None] - place[:, None]).square().sum(-1)
    near = square < radius**2
    middles = _middles(near, weight)
    far = torch.where(near & middles[:, None], square, torch.full_like(square, radius**2))
    nearest = torch.nn.functional.one_hot(far.argmin(-1), place.shape[1]).to(weight)
    share = nearest * (near & middles[:, None]) * weight[..., None]  # (b, taken, by)
    total = share.sum(1)
    mean = share.transpose(1, 2) @ values / total.clamp(min=1e-12)[..., None]
    return Merged(total, mean)


def _middles(near: Tensor, weight: Tensor) -> Tensor:
    """Return which points (b, m) no stronger one near them takes."""
    around = (near * weight[:, None]).sum(-1)
    order = torch.arange(weight.shape[1], device=weight.device)
    stronger = (around[:, None] > around[..., None]) | (
        (around[:, None] == around[..., None]) & (order < order[:, None])
    )
    beats, free = near & stronger, weight > 0
    middles = torch.zeros_like(free)
    for _ in range(ROUNDS):
        chosen = free & ~(beats & free[:, None]).any(-1)
        middles = middles | chosen
        free = free & ~(near & chosen[:, None]).any(-1)
    return middles
