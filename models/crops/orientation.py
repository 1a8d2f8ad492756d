"""The orientation of a dipole as a network says it: the products of its components, which have no sign to choose.

A dipole and its opposite are one, so angles jump: at the horizon by 180 degrees of azimuth, and upright there is no
azimuth. The six products p_a p_b (`PAIRS`) change smoothly everywhere; the axis is their strongest direction.
"""

from __future__ import annotations

from math import degrees, radians

import torch
from torch import Tensor, nn

from models.crops.samples import truth_names
from models.crops.space import ORIENTED
from models.optics.dipole import second_moments

ANGLES = ORIENTED[:2]
COLUMN = slice(truth_names(ORIENTED).index(ANGLES[0]), None)
"""Of theta, phi and mobility in `EmitterCrops.truth`."""
SQUARINGS, SHIFT = 6, 0.5
"""Of a matrix whose other directions are at least three times weaker; added, so that noise below 0 does not count."""
FULL = (0, 3, 4, 3, 1, 5, 4, 5, 2)
"""Which of `PAIRS` stands where in the matrix."""


class OrientationAnswers(nn.Module):
    """Turns products of components into angles, with what `Reader` asks of answers."""

    names = ANGLES

    def columns(self, spread: bool) -> tuple[str, ...]:
        """Return the columns of the table."""
        return self.names

    def table(self, said: Tensor, sigma: Tensor | None) -> Tensor:
        """Return theta from 0 to 90 and phi from -180 to 180 degrees, (b, 2), of products (b, 6)."""
        p = axis_of(said)
        up = torch.where(p[:, 2:] < 0, -p, p)
        theta = torch.acos(up[:, 2].clamp(-1, 1))
        return torch.stack((theta, torch.atan2(up[:, 1], up[:, 0])), dim=1) * degrees(1)


def matrix_of(products: Tensor) -> Tensor:
    """Return the symmetric matrices (b, 3, 3) of products (b, 6)."""
    return products[:, list(FULL)].reshape(-1, 3, 3)


def axis_of(products: Tensor) -> Tensor:
    """Return the strongest direction (b, 3), a unit vector of either sign, by squaring the matrix again and again."""
    power = matrix_of(products) + SHIFT * torch.eye(3, dtype=products.dtype, device=products.device)
    for _ in range(SQUARINGS):
        power = power @ power
        power = power / power.abs().amax(dim=(1, 2), keepdim=True)
    strength = torch.diagonal(power, dim1=1, dim2=2)
    best = (strength >= strength.amax(dim=1, keepdim=True)).to(power.dtype)
    vector = (power @ best[:, :, None])[:, :, 0]
    axis: Tensor = vector / torch.linalg.vector_norm(vector, dim=1, keepdim=True)
    return axis


def frame_of(angles_deg: Tensor) -> Tensor:
    """Return unit vectors (b, 3, 3) as columns: along the dipole, towards larger theta, towards larger phi."""
    theta, phi = (angles_deg * radians(1)).unbind(1)
    sin, cos, s, c = torch.sin(theta), torch.cos(theta), torch.sin(phi), torch.cos(phi)
    rows = ((sin * c, cos * c, -s), (sin * s, cos * s, c), (cos, -sin, 0 * s))
    return torch.stack([torch.stack(row, dim=1) for row in rows], dim=1)


def along_frame(products: Tensor, angles_deg: Tensor) -> tuple[Tensor, Tensor]:
    """Return the error of products: (b, 2) in rad of theta and of phi times sin(theta), and (b, 4) of what is no turn.

    A turn of p by d changes p p into p p + p d + d p: its share across p is the turn, to first order.
    """
    theta, phi = (angles_deg * radians(1)).unbind(1)
    truth, frame = second_moments(theta, phi, 0 * theta), frame_of(angles_deg)
    error = frame.mT @ matrix_of(products - truth) @ frame
    rest = torch.stack((error[:, 0, 0], error[:, 1, 1], error[:, 2, 2], error[:, 1, 2]), dim=1)
    return error[:, 0, 1:], rest


def turn_bounds(bound: Tensor, truth: Tensor) -> Tensor:
    """Return the bounds (b, 2) in rad of the two turns, of the bounds of all columns of the truth."""
    theta = truth[:, COLUMN][:, 0] * radians(1)
    turns = bound[:, COLUMN][:, :2] * radians(1)
    return torch.stack((turns[:, 0], turns[:, 1] * torch.sin(theta)), dim=1)


def apart_deg(said: Tensor, angles_deg: Tensor) -> Tensor:
    """Return the angle (b,) from 0 to 90 degrees between axes, given as theta and phi, (b, 2) each."""
    cosine = (frame_of(said)[:, :, 0] * frame_of(angles_deg)[:, :, 0]).sum(1).abs()
    return torch.acos(cosine.clamp(max=1)) * degrees(1)
