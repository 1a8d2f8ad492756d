"""What a mask can give without any network: bounds of the position, and how well colours or heights are told apart.

The figure of merit of a mask of Shechtman et al. (Phys. Rev. Lett. 113, 2014) is the mean bound; how often a colour is
taken for another one is added, or how far a height is from the one that looks most like it (`separation.py`). All are
differentiable by the mask.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from models.masks.layer import ImageLayer, ShownSpot
from models.masks.learned import LearnedMask
from models.masks.separation import LATERAL, confusion, nearest_height
from models.optics.crlb import bounds, fisher, spot_bounds
from models.optics.expected import expected
from models.sample_space import SampleSpace

Criterion = Callable[[LearnedMask], Tensor]
"""Smaller is better."""
LEAST_ERROR = 0.003
"""Fewer wrong colours than this are worth nothing."""
RATE = 0.05
DIM = 2.0
"""Light of the emitters that a mask is judged with, in that of the dimmest of its space: brighter ones are easier."""
OFF_NM, WITHIN, HEIGHTS = (20.0, -30.0), 0.96, 9
"""Where they are from the middle of a pixel; up to which share of the depth; at how many z."""


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
        return _log_bounds(spots, given) + torch.log(confusion(spots, given) + LEAST_ERROR)

    return criterion


def for_depth(layer: ImageLayer, parameters: Tensor) -> Criterion:
    """Return the mean logarithm of the bounds of x, y and z, less that of how far each height is from its twin.

    Decision: both count alike, as logarithms of standard deviations. Context: by bounds alone seven of ten heights had
    a twin, 600 nm away or more, with nearly the same image, and networks were twice as bad in z as bounds foretold.
    Consequence: bounds of x and y grow by up to 11 %.

    Parameters
    ----------
    layer : ImageLayer
    parameters : (n, 5) Tensor
        Emitters that the mask is judged with, in the order of `PARAMETERS`, at several z.
    """

    def criterion(mask: LearnedMask) -> Tensor:
        (spot,), given = layer.spots(mask), parameters.to(mask.raw.device)
        mean, slopes = expected(spot, given)
        position: Tensor = bounds(fisher(slopes, mean))[:, :3]
        apart = nearest_height(mean, slopes, given[:, 2])
        return position.log().mean() - (apart.log().mean() if len(apart) else 0.0)

    return criterion


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


def _log_bounds(spots: Sequence[ShownSpot], parameters: Tensor) -> Tensor:
    """Return the mean logarithm of the lateral bounds, of all colours and emitters."""
    found = [spot_bounds(spot, parameters, free=LATERAL) for spot in spots]
    return torch.stack([bound[name] for bound in found for name in ("x_nm", "y_nm")]).log().mean()
