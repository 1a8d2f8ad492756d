"""What a mask can give without any network: bounds of the position, and how well colours are told apart.

The figure of merit of a mask of Shechtman et al. (Phys. Rev. Lett. 113, 2014) is the mean bound; for colours the light
that would be needed to tell one from the other is added. Both are differentiable by the mask.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from models.masks.layer import ImageLayer, ShownSpot
from models.masks.learned import LearnedMask
from models.optics.crlb import FLOOR, spot_bounds
from models.optics.expected import PARAMETERS, expected
from models.sample_space import SampleSpace

Criterion = Callable[[LearnedMask], Tensor]
"""Smaller is better."""
LATERAL = ("x_nm", "y_nm", "photons", "background")
LEAST_ERROR = 0.003
"""Fewer wrong colours than this are worth nothing."""
RATE = 0.05
DIM = 2.0
"""Light of the emitters that a mask is judged with, in that of the dimmest of its space: brighter ones are easier."""
OFF_NM, WITHIN, HEIGHTS = (20.0, -30.0), 0.96, 9
"""Where they are from the middle of a pixel; up to which share of the depth; at how many z."""


def separation(one: ShownSpot, other: ShownSpot, parameters: Tensor) -> Tensor:
    """Return how far emitters of one colour are from the best that the other can do, in standard deviations, (n,).

    Of the difference of the images that part counts which no change of x, y, photons and background of the other takes
    away, to first order: what is left in the space of weighted images after the projection on its derivatives. Of two
    hypotheses d apart the better is missed with probability Q(d / 2).

    Parameters
    ----------
    one, other : ShownSpot
    parameters : (n, 5) Tensor
        In the order of `PARAMETERS`.
    """
    mean, _ = expected(one, parameters)
    rival, jacobian = expected(other, parameters)
    free = jacobian[:, [PARAMETERS.index(name) for name in LATERAL]]
    weight = 2 / (mean + rival + FLOOR)
    difference = mean - rival
    scale = (free**2 * weight[:, None]).sum(-1).sqrt()[:, :, None]
    free = free / scale
    gram, along = (free * weight[:, None]) @ free.mT, (free * (weight * difference)[:, None]).sum(-1)
    explained = (along * torch.linalg.solve(gram, along)).sum(-1)
    left = (weight * difference**2).sum(-1) - explained
    distance: Tensor = left.clamp(min=1e-6).sqrt()
    return distance


def confusion(spots: Sequence[ShownSpot], parameters: Tensor) -> Tensor:
    """Return about how often each colour is taken for the likeliest other one, the mean over colours; a scalar."""
    wrong = [
        torch.stack([_tail(separation(one, other, parameters) / 2) for other in spots if other is not one]).amax(0)
        for one in spots
    ]
    return torch.stack(wrong).mean()


def for_colours(layer: ImageLayer, parameters: Tensor) -> Criterion:
    """Return the mean logarithm of the lateral bounds, and the logarithm of the confusion.

    Parameters
    ----------
    layer : ImageLayer
    parameters : (n, 5) Tensor
        Emitters that the mask is judged with, in the order of `PARAMETERS`, z at the focal plane.
    """

    def criterion(mask: LearnedMask) -> Tensor:
        spots, given = layer.spots(mask), parameters.to(mask.raw.device)
        return _log_bounds(spots, given, LATERAL) + torch.log(confusion(spots, given) + LEAST_ERROR)

    return criterion


def for_depth(layer: ImageLayer, parameters: Tensor) -> Criterion:
    """Return the mean logarithm of the bounds of x, y and z of emitters at several z."""
    return lambda mask: _log_bounds(layer.spots(mask), parameters.to(mask.raw.device), PARAMETERS)


def criterion_of(layer: ImageLayer, space: SampleSpace) -> Criterion:
    """Return what a mask of a space is judged by: depth where it states z_nm, else colours.

    Parameters
    ----------
    layer : ImageLayer
    space : SampleSpace
        Its photons, background and depth say of which emitters.
    """
    deep = "z_nm" in space.fields
    heights = WITHIN * np.linspace(space["z_nm"].low, space["z_nm"].high, HEIGHTS) if deep else (0.0,)
    photons, background = DIM * space["photons"].low, space["background_e"].at(0.5)
    given = torch.tensor([[*OFF_NM, z, photons, background] for z in heights], dtype=torch.float64)
    return (for_depth if deep else for_colours)(layer, given)


def optimised(mask: LearnedMask, criterion: Criterion, steps: int) -> list[float]:
    """Learn a mask by a criterion alone, in place (Adam, its rate coming down); returns the criterion of each step."""
    optimizer = torch.optim.Adam(mask.parameters(), RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    course = []
    for _ in range(steps):
        optimizer.zero_grad()
        value = criterion(mask)
        value.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        course.append(float(value.detach()))
    return course


def _log_bounds(spots: Sequence[ShownSpot], parameters: Tensor, free: Sequence[str]) -> Tensor:
    """Return the mean logarithm of the bounds of the position, of all colours and emitters."""
    found = [spot_bounds(spot, parameters, free=free) for spot in spots]
    position = [bound[name] for bound in found for name in free if name.endswith("_nm")]
    return torch.stack(position).log().mean()


def _tail(value: Tensor) -> Tensor:
    """Return Q, the part of a standard normal law above a value."""
    tail: Tensor = 0.5 * torch.special.erfc(value / 2**0.5)
    return tail
