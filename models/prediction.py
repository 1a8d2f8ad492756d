"""What a localizer says of every pixel (Speiser et al. 2021), and how its raw channels become that.

| raw channel | meaning |
|---|---|
| 1 | logit of the detection |
| d | position: x, y and, in three dimensions, z |
| 1 | logarithm of the photons |
| d | uncertainties of the position |
| 1 | uncertainty of the logarithm |
| 1 | square root of the background |
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

OFFSET_RANGE_PX = 1.5
Z_RANGE = 1.2
"""z can be so far out; the range that was trained on is -1 to 1."""
MIN_SIGMA = 0.003


class Prediction(NamedTuple):
    """What a network says; counts are photo-electrons / F**2.

    Attributes
    ----------
    logit : (...) detection
    position : (d, ...) offset of the emitter from the centre of its pixel in x and y, pixels; z in units of half the
        range that was trained on, from its middle
    log_counts : (...) natural logarithm of the emitter's counts
    sigma : (d, ...) 1-sigma uncertainties of the position, in its units
    sigma_log_counts : (...)
    sqrt_background : (...) square root of the background, counts per pixel
    """

    logit: Tensor
    position: Tensor
    log_counts: Tensor
    sigma: Tensor
    sigma_log_counts: Tensor
    sqrt_background: Tensor


def channels(dimensions: int) -> int:
    """Return how many raw channels there are in two or three dimensions."""
    return 4 + 2 * dimensions


def activate(raw: Tensor, dim: int) -> Prediction:
    """Turn the raw output channels along `dim` into a `Prediction`; acts on maps and on gathered rows alike."""
    d = raw.shape[dim] // 2 - 2
    logit, *at, log_counts = raw.narrow(dim, 0, d + 2).unbind(dim)
    *spread, spread_counts, background = raw.narrow(dim, d + 2, d + 2).unbind(dim)
    reach = (OFFSET_RANGE_PX, OFFSET_RANGE_PX, Z_RANGE)
    return Prediction(
        logit=logit,
        position=torch.stack([r * torch.tanh(value) for r, value in zip(reach, at, strict=False)]),
        log_counts=6.5 + log_counts,
        sigma=torch.stack([_positive(value) for value in spread]),
        sigma_log_counts=_positive(spread_counts),
        sqrt_background=4.0 + 4.0 * background,
    )


def _positive(raw: Tensor) -> Tensor:
    return MIN_SIGMA + functional.softplus(raw - 1.5)
