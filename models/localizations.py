"""The table of localizations: one schema, units in the column names.

Coordinates: nm, x right, y down, origin at the outer corner of pixel (0, 0), so the centre of pixel (0, 0) is at
0.5 pixel sizes. A column that a model does not give is absent, not zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table: its dtype, its unit and what it means."""

    dtype: str
    unit: str
    meaning: str


SCHEMA: Mapping[str, Column] = {
    "frame": Column("i8", "1", "absolute 0-based frame index"),
    "x_nm": Column("f4", "nm", "position, columns"),
    "y_nm": Column("f4", "nm", "position, rows"),
    "z_nm": Column("f4", "nm", "position, away from the coverslip, 0 at the focal plane"),
    "sigma_x_nm": Column("f4", "nm", "1-sigma uncertainty of x_nm"),
    "sigma_y_nm": Column("f4", "nm", "1-sigma uncertainty of y_nm"),
    "sigma_z_nm": Column("f4", "nm", "1-sigma uncertainty of z_nm"),
    "photons": Column("f4", "photon", "photons of the emitter in this frame"),
    "sigma_photons": Column("f4", "photon", "1-sigma uncertainty of photons"),
    "background": Column("f4", "photo-electron/pixel", "background under the emitter"),
    "theta_deg": Column("f4", "deg", "angle of the dipole to the optical axis, 0 to 90; nan if not read"),
    "phi_deg": Column("f4", "deg", "azimuth of the dipole's upper end, from x towards y; nan if not read"),
    "sigma_orientation_deg": Column("f4", "deg", "1-sigma uncertainty of the dipole's axis; nan if not read"),
    "probability": Column("f4", "1", "probability that there is an emitter"),
    "channel": Column("i4", "1", "which colour, from 0, the shortest wavelength first; -1 where it was not told"),
    "channel_probability": Column("f4", "1", "probability that the channel is right"),
    "novelty": Column(
        "f4",
        "1",
        "squared distance of the network's features from those of its training, over its mean there: 1 is usual",
    ),
    "psf_sigma_nm": Column("f4", "nm", "standard deviation of the fitted Gaussian PSF (other programs' lists)"),
    "goodness": Column("f4", "1", "chi-square per degree of freedom of the re-rendered spot; nan if not rendered"),
    "psf_epoch": Column("i4", "1", "which state of the optics"),
    "frames": Column("i4", "1", "how many localizations of one molecule were linked"),
    "flags": Column(
        "u4",
        "1",
        "bit 1: refined, the row is a maximum-likelihood fit; bit 2: located while the guard said outside; "
        "bit 3: read by the network of [crops]",
    ),
}

ORIENTATION = ("theta_deg", "phi_deg", "sigma_orientation_deg")
"""Columns that are nan where nobody has looked."""
REFINED, OUTSIDE, READ = 1, 2, 4
"""Bits of `flags`."""
CHANNELS, UNTOLD = 5, {"channel": -1, "channel_probability": 0}
"""Colours at most, and what stands where none was told."""
UNREAD: Mapping[str, float] = UNTOLD | dict.fromkeys(ORIENTATION, nan)
"""What stands where a crop was not read, of columns that a row can do without."""


class Localizations:
    """An immutable table of localizations.

    Parameters
    ----------
    columns : mapping of column name to (n,) array
        Names must be in `SCHEMA`; arrays are converted to the schema's dtype. `frame`, `x_nm` and `y_nm` are required.

    Raises
    ------
    ValueError
        An unknown or missing column, or columns of different length.
    """

    __slots__ = ("_columns",)

    def __init__(self, columns: Mapping[str, NDArray[np.generic]]) -> None:
        unknown = set(columns) - set(SCHEMA)
        missing = {"frame", "x_nm", "y_nm"} - set(columns)
        if unknown or missing:
            raise ValueError(f"unknown columns {sorted(unknown)}, missing columns {sorted(missing)}")
        self._columns = {name: np.asarray(columns[name], SCHEMA[name].dtype) for name in SCHEMA if name in columns}
        lengths = {name: column.shape for name, column in self._columns.items()}
        if len(set(lengths.values())) != 1 or any(len(shape) != 1 for shape in lengths.values()):
            raise ValueError(f"columns must be one-dimensional and of one length, got {lengths}")
        for column in self._columns.values():
            column.flags.writeable = False

    def __len__(self) -> int:
        return len(self._columns["frame"])

    def __contains__(self, name: object) -> bool:
        return name in self._columns

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the columns that are present, in the schema's order."""
        return iter(self._columns)

    def __getitem__(self, name: str) -> NDArray[np.generic]:
        """Return the column called `name`, (n,)."""
        return self._columns[name]

    def where(self, rows: NDArray[np.bool_] | NDArray[np.intp] | slice) -> Localizations:
        """Return the rows given by a mask, by indices or by a slice."""
        return Localizations({name: column[rows] for name, column in self._columns.items()})


def empty(names: Iterable[str] = ("frame", "x_nm", "y_nm")) -> Localizations:
    """Return a table with these columns and no rows."""
    return Localizations({name: np.empty(0, SCHEMA[name].dtype) for name in names})


def concatenate(tables: Iterable[Localizations]) -> Localizations:
    """Return the tables one below the other; they must have the same columns. No table gives `empty()`."""
    parts = list(tables)
    if not parts:
        return empty()
    if any(list(part) != list(parts[0]) for part in parts):
        raise ValueError(f"tables have different columns: {[list(part) for part in parts]}")
    return Localizations({name: np.concatenate([part[name] for part in parts]) for name in parts[0]})
