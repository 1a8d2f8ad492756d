"""The ends of what a network was trained on: how many molecules may lie there, and what it means if more do.

A network draws values towards its training: brighter molecules than it knows come out at the end of its range, seldom
beyond. So the last 3 % of the range count as the end, in the measure that the training was flat in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from models.sample_space import Range, SampleSpace

END = 0.03
REFERENCE_SHARE = 0.98
"""Of matched molecules that lie within the quantiles of a reference."""


@dataclass(frozen=True, slots=True)
class Edge:
    """One end of one quantity.

    Parameters
    ----------
    column : str
        Of the table.
    name : str
        Of the finding.
    sign : int
        1 for the upper end, -1 for the lower.
    counted, end : float
        From where on molecules count, and where the training ended; the same where piling up means nothing.
    usual, unusual, much : float
        Shares: tolerated, found soonest, and too many for the network to be trusted.
    unit : str
    problem, remedy : str
        In words.
    """

    column: str
    name: str
    sign: int
    counted: float
    end: float
    usual: float
    unusual: float
    much: float
    unit: str
    problem: str
    remedy: str


def edges(space: SampleSpace, reference: Mapping[str, tuple[float, float]]) -> list[Edge]:
    """Return the ends that are known.

    Parameters
    ----------
    space : SampleSpace
        Of the model's card.
    reference : mapping of column to (low, high)
        Central 98 % of matched molecules, for what the space has no range of: uncertainties.
    """
    ranges = {name: value for name, value in space.fields.items() if isinstance(value, Range)}
    made = []
    if "photons" in ranges:
        made += _photons(ranges["photons"])
    if "background_e" in ranges:
        made += _background(ranges["background_e"])
    if "z_nm" in ranges:
        made += _heights(ranges["z_nm"])
    return made + [edge for column, ends in reference.items() for edge in _referred(column, *ends)]


def _photons(trained: Range) -> list[Edge]:
    """Return the ends of photons; the dim one is usual, of a molecule that is on for a part of a frame."""
    return [
        Edge(
            "photons", "photons", 1, trained.at(1 - END), trained.high, 0.05, 0.15, 0.25, "photons", "too bright",
            "less excitation, a shorter exposure, check [camera] gain_e_per_adu; or train for brighter ones",
        ),
        Edge(
            "photons", "photons", -1, trained.low, trained.low, 0.25, 0.45, 0.6, "photons", "too dim",
            "more excitation, a longer exposure, check focus, buffer and [camera] gain_e_per_adu",
        ),
    ]  # fmt: skip


def _background(trained: Range) -> list[Edge]:
    """Return the ends of the background; good samples are at the dark one, so only what is beyond counts there."""
    unit, much = "photo-electrons/pixel of background", "background too bright"
    bright = Edge(
        "background", "background", 1, trained.at(1 - END), trained.high, 0.05, 0.15, 0.25, unit, much,
        "angle of illumination, room light, filters, fresh imager; or train for more background",
    )  # fmt: skip
    dark = Edge(
        "background", "background", -1, trained.low, trained.low, 0.1, 0.25, 0.5, unit, "background too dark",
        "check [camera] offset_adu; or train for less background",
    )  # fmt: skip
    return [bright, dark] if trained.low > 0 else [bright]


def _heights(trained: Range) -> list[Edge]:
    """Return the ends of z; an evenly thick sample has 3 % at each, and twice that with the network's errors."""
    remedy = "move the focus to the middle of the sample, or train for a larger range in depth"
    return [
        Edge(
            "z_nm", f"z {word}", sign, trained.at(share), end, 0.08, 0.2, 0.3, "nm of height",
            f"out of z range, {word}", remedy,
        )
        for word, sign, share, end in (("above", 1, 1 - END, trained.high), ("below", -1, END, trained.low))
    ]  # fmt: skip


def _referred(column: str, low: float, high: float) -> list[Edge]:
    unit, usual = f"of {column}", 5 * (1 - REFERENCE_SHARE) / 2
    remedy = "compare photons, background and focus with the training; the other findings say more"
    return [
        Edge(column, column, sign, end, end, usual, 3 * usual, 0.3, unit, f"{column} too {word}", remedy)
        for word, sign, end in (("large", 1, high), ("small", -1, low))
    ]
