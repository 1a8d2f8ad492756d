"""`livesmlm score`: one list of localizations against another, from files."""

from __future__ import annotations

from dataclasses import asdict
from math import isfinite, isnan
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models.localizations import Localizations
from models.metrics import Rules, Score, score
from stream.errors import InputError, TableFormatError
from stream.readers.tables import read_table

if TYPE_CHECKING:
    from rich.table import Table


def score_files(
    locs: Path,
    truth: Path,
    rules: Rules,
    *,
    pixel_size_nm: float | None = None,
    reference_offset_nm: tuple[float, float] = (0.0, 0.0),
) -> Score:
    """Score the list in one file against the reference in another one.

    Parameters
    ----------
    locs, truth : Path
        Files in any format of `stream.readers.tables.read_table`.
    rules : Rules
        What counts.
    pixel_size_nm : float or None
        Camera pixel size, for files that count in pixels and do not state it.
    reference_offset_nm : (float, float)
        Added to x and y of the reference, for one with another origin: half a pixel where (0, 0) is the centre of the
        first pixel.

    Raises
    ------
    TableFormatError
        A file cannot be read, or has not what the rules ask for.
    InputError
        The rules contradict themselves.
    """
    if rules.border_nm and not all(map(isfinite, rules.field_nm)):
        raise InputError(
            f"a border of {rules.border_nm:g} nm without the size of the field",
            limit="A list does not say where its field ends.",
            remedy="Give width and height with --field-nm.",
        )
    reference = _shifted(_read(truth, pixel_size_nm), reference_offset_nm)
    if rules.min_photons and "photons" not in reference:
        raise TableFormatError(
            f"{truth} has no photon counts",
            limit=f"A threshold of {rules.min_photons:g} photons needs them.",
            remedy="Leave out --min-photons.",
        )
    return score(reference, _read(locs, pixel_size_nm), rules)


def score_dict(result: Score) -> dict[str, int | float | None]:
    """Return the score for JSON, which has no nan: what is not defined is None."""
    return {name: None if isnan(value) else value for name, value in asdict(result).items()}


def score_table(result: Score, rules: Rules) -> Table:
    """Return the score for people."""
    from rich.table import Table

    table = Table("", "", title=f"pairs within {rules.tolerance_nm:g} nm", show_header=False)
    for name, value in asdict(result).items():
        if not isnan(value):
            table.add_row(name, f"{value:d}" if isinstance(value, int) else f"{value:.4g}")
    return table


def _read(path: Path, pixel_size_nm: float | None) -> Localizations:
    table = read_table(path, pixel_size_nm)
    wrong = ~(np.isfinite(table["x_nm"]) & np.isfinite(table["y_nm"]))
    if wrong.any():
        raise TableFormatError(
            f"{path} has no position in row {int(np.flatnonzero(wrong)[0]) + 1}",
            limit="Positions must be finite numbers.",
            remedy=f"Remove the {int(wrong.sum())} rows without a position.",
        )
    return table


def _shifted(table: Localizations, offset_nm: tuple[float, float]) -> Localizations:
    columns = {name: table[name] for name in table}
    columns |= {name: np.add(table[name], by) for name, by in zip(("x_nm", "y_nm"), offset_nm, strict=True)}
    return Localizations(columns)
