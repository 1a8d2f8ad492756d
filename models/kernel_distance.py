"""How far apart two sets of weighted points are: a kernel distance with kernels of several widths.

A set of points is a measure, the sum of w_i delta(x_i). Its mean embedding (Gretton et al., J. Mach. Learn. Res. 13,
723, 2012, "maximum mean discrepancy") turns the difference of two sets into

    D^2 = sum_ij s_i s_j k(x_i, x_j),    s = the weights of one set, and minus those of the other,

which is zero for equal measures only, does not ask which point belongs to which, and says no difference between one
point of weight 1 and two of weight 1/2 in the same place. DeepLoco (Boyd et al., bioRxiv 267096, 2018) is trained with
it; k is the sum of Laplacian kernels exp(-|x - y| / width): narrow ones measure precision, wide ones still pull where
nothing is near.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

ROUNDED = 1e-3
"""In the unit of the positions: nearer than this the tip of the kernel is round, so that it has a gradient. The kernel
stays positive definite: sqrt(r^2 + c^2) is conditionally negative definite (Schoenberg 1938)."""


def kernel_distance(
    place: Tensor, weight: Tensor, true_place: Tensor, true_weight: Tensor, widths: Sequence[float]
) -> Tensor:
    """Return the squared distance of each pair of sets.

    Parameters
    ----------
    place, true_place : (b, n, d) and (b, m, d) float
        In one unit along all axes.
    weight, true_weight : (b, n) and (b, m) float
        Points of weight 0 count for nothing.
    widths : sequence of float
        Of the kernels, in the unit of the positions.

    Returns
    -------
    (b,) float
    """
    at = torch.cat((place, true_place), dim=1)
    signed = torch.cat((weight, -true_weight), dim=1)
    apart = (at[:, :, None] - at[:, None]).square().sum(-1)
    r = torch.sqrt(apart + ROUNDED**2) - ROUNDED
    kernel = torch.stack([torch.exp(-r / width) for width in widths]).sum(0)
    return torch.einsum("bi,bij,bj->b", signed, kernel, signed)


def as_sets(sample: Tensor, values: Tensor, samples: int) -> tuple[Tensor, Tensor]:
    """Return rows (n, c) that belong to `samples` sets, in order, as (b, m, c) with zeros behind, and a mask (b, m)."""
    count = torch.bincount(sample, minlength=samples)
    first = torch.cumsum(count, 0) - count
    rank = torch.arange(len(sample), device=sample.device) - first[sample]
    longest = max(int(count.max()), 1)
    sets = values.new_zeros((samples, longest, values.shape[1]))
    sets[sample, rank] = values
    return sets, torch.arange(longest, device=sample.device) < count[:, None]
