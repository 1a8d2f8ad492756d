"""Dyes that the shape of their spot tells apart: light of another wavelength, focused elsewhere.

A dye stands in a sample space as plain numbers, so that a card says what its network was trained for:
`colour_0_wavelength_nm`, `colour_0_width_nm`, `colour_0_focus_nm`, `colour_0_noll_11_waves`, ... Dyes count from 0,
shortest wavelength first, as the column `channel` of the table does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from models.localizations import CHANNELS
from models.sample_space import SampleSpace

_FIELD = re.compile(r"colour_(\d+)_(.+)")
_MODE = re.compile(r"noll_(\d+)_waves")


@dataclass(frozen=True, slots=True)
class Dye:
    """What a dye sends through the filter and the objective.

    Parameters
    ----------
    wavelength_nm : float
        Middle of what passes the filter.
    width_nm : float
        Standard deviation of the spectrum around it.
    focus_nm : float
        Chromatic shift: its light is focused as if the stage were so far out of focus (`Setup.focus_nm`).
    zernike_waves : mapping of Noll index to float
        Aberrations at its wavelength, unit root mean square each, beside those of the layers.

    Raises
    ------
    ValueError
        A value that no dye or objective has.
    """

    wavelength_nm: float
    width_nm: float = 15.0
    focus_nm: float = 0.0
    zernike_waves: Mapping[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 300 <= self.wavelength_nm <= 1100:
            raise ValueError(f"wavelength_nm = {self.wavelength_nm:g} of a dye: must be from 300 to 1100")
        if not 0 <= self.width_nm <= 60:
            raise ValueError(f"width_nm = {self.width_nm:g} of a dye: must be from 0 to 60, a standard deviation")

    def numbers(self) -> dict[str, float]:
        """Return its plain numbers by name."""
        modes = {f"noll_{j}_waves": float(waves) for j, waves in self.zernike_waves.items()}
        return {"wavelength_nm": self.wavelength_nm, "width_nm": self.width_nm, "focus_nm": self.focus_nm} | modes


CF568_AND_AF647 = (
    Dye(600.0, 15.0, 0.0, {6: 0.02, 11: 0.05}),
    Dye(680.0, 15.0, 60.0, {6: 0.02, 11: 0.05}),
)
"""The two dyes of Kim et al. (2019); chromatic shift and aberrations chosen: a good objective is never without."""


def with_dyes(space: SampleSpace, dyes: Iterable[Dye]) -> SampleSpace:
    """Return a space with these dyes in place of those that it has.

    Raises
    ------
    ValueError
        Fewer than two or too many, or two of the same wavelength and focus.
    """
    ordered = sorted(dyes, key=lambda dye: dye.wavelength_nm)
    if not 2 <= len(ordered) <= CHANNELS:
        raise ValueError(
            f"{len(ordered)} colours: from 2 to {CHANNELS} can be told apart; state each as one [[colour]]"
        )
    if any(a.numbers() == b.numbers() for a, b in pairwise(ordered)):
        raise ValueError("two colours are the same: nothing tells them apart; leave one out")
    kept = {name: value for name, value in space.fields.items() if not _FIELD.fullmatch(name)}
    stated = {f"colour_{k}_{name}": value for k, dye in enumerate(ordered) for name, value in dye.numbers().items()}
    return SampleSpace(kept | stated)


def dyes_of(space: SampleSpace) -> tuple[Dye, ...]:
    """Return the dyes that `with_dyes` noted; none of a space without."""
    found: dict[int, dict[str, float]] = {}
    for name in space.fields:
        if matched := _FIELD.fullmatch(name):
            found.setdefault(int(matched[1]), {})[matched[2]] = space.number(name)
    return tuple(dye_from(found[k]) for k in sorted(found))


def dye_from(numbers: Mapping[str, float]) -> Dye:
    """Return the dye of plain numbers, as `Dye.numbers` names them.

    Raises
    ------
    TypeError, ValueError
        A number that is not known, is missing or cannot be.
    """
    modes = {int(matched[1]): float(numbers[name]) for name in numbers if (matched := _MODE.fullmatch(name))}
    plain = {name: float(value) for name, value in numbers.items() if not _MODE.fullmatch(name)}
    return Dye(**plain, zernike_waves=modes)


def names_of(space: SampleSpace) -> tuple[str, ...]:
    """Return what channels are called, by their wavelengths."""
    return tuple(f"{dye.wavelength_nm:g} nm" for dye in dyes_of(space))
