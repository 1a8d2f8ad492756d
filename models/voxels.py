"""Emitters as a volume of voxels, four to a camera pixel in x and y, and back (Nehme et al., Nat. Methods 17, 2020).

| step | axes |
|---|---|
| emitters -> spikes, shared out among the eight voxels around each | (n, 3) -> (b, z, y, x) |
| under a Gaussian of 7 x 7 x 7 voxels, one voxel wide, 1 at its middle: what is compared | (b, z, y, x) |
| local maxima in 9 x 9 x 9 voxels, the highest of each column | -> (k, 4) |
| their mass and centre of gravity in 9 x 9 x 9 voxels | -> (k,), (k, 3) |

Positions are x, y in camera pixels from the outer corner and z in units of half its range, from its middle. The paper
puts an emitter into the voxel that is nearest; with shares the centre of gravity of what is asked for is the emitter.
"""

from __future__ import annotations

from itertools import product

import torch
from torch import Tensor
from torch.nn import functional

from models.systems.deep_storm import band, blurred

UPSAMPLING = 4
RADIUS = 4
"""Of the windows of 9 voxels in which maxima are looked for and centres of gravity are taken (published)."""
SIDE = 2 * RADIUS + 1
APART = 2e-4
"""What makes voxels unequal that are the same, as where two neighbours are both at the ceiling: at most so much."""


def spikes(sample: Tensor, position: Tensor, shape: tuple[int, int, int, int]) -> Tensor:
    """Return a volume of `shape` (b, z, y, x) whose sum is the number of emitters.

    Parameters
    ----------
    sample : (n,) int64
    position : (n, 3) float
    shape : (b, z, y, x) of the volume
    """
    _, *sides = shape
    place = _in_voxels(position, sides[0]) - 0.5
    low = torch.floor(place)
    share, volume = place - low, position.new_zeros(shape)
    for corner in product((0, 1), repeat=3):
        weight = torch.stack([share[:, i] if up else 1 - share[:, i] for i, up in enumerate(corner)]).prod(0)
        at = [(low[:, i].long() + up).clamp(0, sides[i] - 1) for i, up in enumerate(corner)]
        volume.index_put_((sample, *at), weight, accumulate=True)
    return volume


def smooth(volume: Tensor) -> Tensor:
    """Return volumes (b, z, y, x) under the Gaussian that is 1 at its middle."""
    b, planes, *_ = volume.shape
    flat = blurred(volume.flatten(0, 1)).reshape(b, planes, -1)
    middle = band(1, volume) ** 3
    return (band(planes, volume) @ flat / middle).reshape(volume.shape)


def peaks(volume: Tensor, least: float) -> Tensor:
    """Return where volumes (b, z, y, x) are above `least` and highest in their window, (k, 4); one z for each x, y."""
    unequal = volume + _code(volume)
    lines = functional.max_pool2d(unequal.flatten(2)[:, None], (SIDE, 1), 1, (RADIUS, 0))[:, 0].reshape(volume.shape)
    highest = functional.max_pool2d(functional.max_pool2d(lines, (SIDE, 1), 1, (RADIUS, 0)), (1, SIDE), 1, (0, RADIUS))
    found = torch.where((unequal == highest) & (volume > least), unequal, torch.zeros_like(volume))
    return torch.nonzero((found > 0) & (found == found.amax(1, keepdim=True)))


def centres(volume: Tensor, at: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mass around voxels, (k,), and the position of its centre of gravity, (k, 3).

    Parameters
    ----------
    volume : (b, z, y, x) float
    at : (k, 4) int64
        b, z, y, x.
    """
    window, steps = windows(volume, at), torch.arange(-RADIUS, RADIUS + 1, device=volume.device).to(volume.dtype)
    mass = window.sum((1, 2, 3))
    sums = ((window.sum(others) * steps).sum(1) for others in ((2, 3), (1, 3), (1, 2)))
    z, y, x = (s / mass.clamp(min=1e-6) + at[:, axis] + 0.5 for axis, s in enumerate(sums, 1))
    depth = 2 * z / volume.shape[1] - 1
    return mass, torch.stack((x / UPSAMPLING, y / UPSAMPLING, depth), dim=1)


def windows(volume: Tensor, at: Tensor) -> Tensor:
    """Return the 9 x 9 x 9 voxels around voxels `at`, (k, 9, 9, 9); 0 beyond the edges."""
    _, *sides = volume.shape
    steps = torch.arange(-RADIUS, RADIUS + 1, device=volume.device)
    z, y, x = (at[:, axis, None] + steps for axis in (1, 2, 3))
    inside = [(where >= 0) & (where < side) for where, side in zip((z, y, x), sides, strict=True)]
    z, y, x = (where.clamp(min=0).clamp(max=side - 1) for where, side in zip((z, y, x), sides, strict=True))
    plane = (at[:, 0, None] * sides[0] + z) * sides[1]
    index = ((plane[:, :, None] + y[:, None]) * sides[2])[..., None] + x[:, None, None]
    there = inside[0][:, :, None, None] & inside[1][:, None, :, None] & inside[2][:, None, None]
    return volume.flatten()[index] * there


def voxel_of(sample: Tensor, position: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return the voxel that each emitter lies in, (n, 4)."""
    sides = torch.tensor(shape[1:], device=position.device)
    place = _in_voxels(position, shape[1]).long()
    return torch.column_stack((sample, torch.minimum(place.clamp(min=0), sides - 1)))


def _in_voxels(position: Tensor, planes: int) -> Tensor:
    """Return z, y, x in voxels from the outer corner, (n, 3)."""
    x, y, z = position.unbind(1)
    return torch.stack(((z + 1) / 2 * planes, UPSAMPLING * y, UPSAMPLING * x), dim=1)


def _code(volume: Tensor) -> Tensor:
    """Return small numbers (z, y, x), no two of which are the same within a window."""
    z, y, x = (torch.arange(side, device=volume.device) % SIDE for side in volume.shape[1:])
    number = (z[:, None, None] * SIDE + y[None, :, None]) * SIDE + x
    return number.to(volume.dtype) * (APART / SIDE**3)
