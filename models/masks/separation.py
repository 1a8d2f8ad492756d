"""How far apart images are that must not be taken for each other: of two colours, or of two heights.

What bounds do not know: they are of small errors, around one image. A mask may show one height as sharply as one likes
and another height, half the depth away, nearly the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from models.masks.layer import ShownSpot
from models.optics.crlb import FLOOR
from models.optics.expected import PARAMETERS, expected

LATERAL = ("x_nm", "y_nm", "photons", "background")
APART_NM = 600.0
"""From which distance on two heights must look different; nearer ones are the bound's to tell apart."""


def separation(mean: Tensor, rival: Tensor, free: Tensor) -> Tensor:
    """Return how far images are from the best that a rival can do, in standard deviations, (n,).

    Of the difference of the images that part counts which no change of the rival's free parameters takes away, to
    first order: what is left in the space of weighted images after the projection on its derivatives. Of two hypotheses
    d apart the better is missed with probability Q(d / 2).

    Parameters
    ----------
    mean, rival : (n, pixels) Tensor
        Expected photo-electrons.
    free : (n, p, pixels) Tensor
        Derivatives of the rival.
    """
    weight = 2 / (mean + rival + FLOOR)
    difference = mean - rival
    free = free / (free**2 * weight[:, None]).sum(-1).sqrt()[:, :, None]
    gram, along = (free * weight[:, None]) @ free.mT, (free * (weight * difference)[:, None]).sum(-1)
    explained = (along * torch.linalg.solve(gram, along)).sum(-1)
    distance: Tensor = ((weight * difference**2).sum(-1) - explained).clamp(min=1e-6).sqrt()
    return distance


def confusion(spots: Sequence[ShownSpot], parameters: Tensor) -> Tensor:
    """Return about how often each colour is taken for the likeliest other one, the mean over colours; a scalar.

    Parameters
    ----------
    spots : sequence of ShownSpot
        Of each colour.
    parameters : (n, 5) Tensor
        In the order of `PARAMETERS`.
    """
    images = [expected(spot, parameters) for spot in spots]
    wrong = [
        torch.stack(
            [_tail(separation(one, other, _lateral(slopes)) / 2) for other, slopes in images if other is not one]
        )
        for one, _ in images
    ]
    return torch.stack([of_each.amax(0) for of_each in wrong]).mean()


def nearest_height(mean: Tensor, slopes: Tensor, z_nm: Tensor) -> Tensor:
    """Return the separation of each height from the likest of those that are `APART_NM` away or more, (n,) or fewer.

    Heights without another one so far away are left out: near the middle of a shallow depth nothing can be mistaken so.

    Parameters
    ----------
    mean, slopes : (n, pixels), (n, 5, pixels) Tensor
        As `models.optics.expected.expected` gives them.
    z_nm : (n,) Tensor
    """
    away = (z_nm[:, None] - z_nm).abs() >= APART_NM
    one, other = torch.nonzero(away, as_tuple=True)
    distance = separation(mean[one], mean[other], slopes[other])
    apart = torch.full(away.shape, torch.inf, dtype=mean.dtype, device=mean.device)
    return apart.index_put((one, other), distance).amin(1)[away.any(1)]


def _lateral(slopes: Tensor) -> Tensor:
    return slopes[:, [PARAMETERS.index(name) for name in LATERAL]]


def _tail(value: Tensor) -> Tensor:
    """Return Q, the part of a standard normal law above a value."""
    tail: Tensor = 0.5 * torch.special.erfc(value / 2**0.5)
    return tail
