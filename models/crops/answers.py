"""What a network says of a crop: numbers of the size of one inside, physical quantities in a table outside.

Photons and background go through their logarithms, so that a relative error counts alike at every brightness.
"""

from __future__ import annotations

from math import log

import torch
from torch import Tensor, nn

from models.crops.samples import LIGHT, truth_names
from models.crops.space import further_of
from models.sample_space import Range, SampleSpace

FULL_EXCESS = 2.0
"""F^2 behind an EM register, where as many photo-electrons are half as many counts."""
WITHOUT_SIGMA = ("background",)
"""The table has no column for its uncertainty."""


class Answers(nn.Module):
    """Turns truth into what is learned, and answers into a table.

    Parameters
    ----------
    space : SampleSpace
    names : tuple of str
        Quantities that are answered for, some of `truth_names`.

    Attributes
    ----------
    column : (k,) int64
        Where these stand in `EmitterCrops.truth`.

    Raises
    ------
    ValueError
        One of them does not differ between the samples, so that nothing can be learned of it.
    """

    middle: Tensor
    reach: Tensor
    column: Tensor

    def __init__(self, space: SampleSpace, names: tuple[str, ...]) -> None:
        super().__init__()
        ranges = [_range(space, name) for name in names]
        for name, limits in zip(names, ranges, strict=True):
            if limits.low == limits.high:
                raise ValueError(
                    f"{name} is {limits.low:g} in every sample: state a range from which it can be learned"
                )
        ends = [_ends(name, limits) for name, limits in zip(names, ranges, strict=True)]
        self.names, known = names, truth_names(further_of(space))
        self.register_buffer("middle", torch.tensor([(low + high) / 2 for low, high in ends]))
        self.register_buffer("reach", torch.tensor([(high - low) / 2 for low, high in ends]))
        self.register_buffer("column", torch.tensor([known.index(name) for name in names]))
        self._logarithmic = [name in LIGHT for name in names]

    def learned(self, truth: Tensor) -> Tensor:
        """Return the quantities (b, k) of `EmitterCrops.truth` as numbers of the size of one."""
        chosen = truth[:, self.column]
        plain = [torch.log(v) if log_ else v for v, log_ in zip(chosen.unbind(1), self._logarithmic, strict=True)]
        return (torch.stack(plain, dim=1) - self.middle) / self.reach

    def table(self, said: Tensor, sigma: Tensor | None) -> Tensor:
        """Return a row for each crop, in the order of `columns`.

        Parameters
        ----------
        said : (b, k) float
            As `learned` makes them.
        sigma : (b, k) float or None
            Standard deviations of these; None of a network that states none.
        """
        plain = (said * self.reach + self.middle).unbind(1)
        values = [torch.exp(v) if log_ else v for v, log_ in zip(plain, self._logarithmic, strict=True)]
        if sigma is None:
            return torch.stack(values, dim=1)
        stated = [
            value * spread if log_ else spread
            for value, spread, log_, name in zip(
                values, (sigma * self.reach).unbind(1), self._logarithmic, self.names, strict=True
            )
            if name not in WITHOUT_SIGMA
        ]
        return torch.stack((*values, *stated), dim=1)

    def columns(self, spread: bool) -> tuple[str, ...]:
        """Return the columns of the table, units in the names; `spread`: the network states uncertainties."""
        return (*self.names, *(f"sigma_{name}" for name in self.names if spread and name not in WITHOUT_SIGMA))


def _range(space: SampleSpace, name: str) -> Range:
    return space[{"x_px": "offset_px", "y_px": "offset_px", "background": "background_e"}.get(name, name)]


def _ends(name: str, limits: Range) -> tuple[float, float]:
    return (log(limits.low / FULL_EXCESS), log(limits.high)) if name in LIGHT else (limits.low, limits.high)
