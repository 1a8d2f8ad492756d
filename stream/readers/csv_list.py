"""Text lists: ThunderSTORM, SMLM challenge, SMAP and a plain one, all with commas and with frames from 1.

Positions are taken as they are, in nm. SMAP does not say where its origin lies: compare with `--truth-offset-nm`.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from models.localizations import SCHEMA, UNTOLD, Localizations
from stream.errors import TableFormatError

_FIRST_FRAME = 1


@dataclass(frozen=True)
class CsvList:
    """A text list with a header line.

    Parameters
    ----------
    spellings : mapping of our column name to header names
        The first header name that the file has is taken. `frame`, `x_nm` and `y_nm` must be there.
    """

    spellings: Mapping[str, tuple[str, ...]]

    def recognizes(self, start: bytes) -> bool:
        """Tell whether the header line has our three required columns."""
        return {"frame", "x_nm", "y_nm"} <= set(self._columns(header_names(start)))

    def read(self, path: Path, pixel_size_nm: float | None) -> Localizations:
        """Return the table; the pixel size does not matter. Raises TableFormatError."""
        with open_unpacked(path) as file:
            names = header_names(file.readline())
        return read_columns(path, names, self._columns(names), skip_rows=1)

    def _columns(self, names: list[str]) -> dict[str, str]:
        """Return our column name to header name, for what the file has."""
        found = {column: [name for name in spelling if name in names] for column, spelling in self.spellings.items()}
        return {column: present[0] for column, present in found.items() if present}


THUNDERSTORM = CsvList(
    {
        "frame": ("frame",),
        "x_nm": ("x [nm]",),
        "y_nm": ("y [nm]",),
        "z_nm": ("z [nm]",),
        "sigma_x_nm": ("uncertainty_xy [nm]", "uncertainty [nm]"),
        "sigma_y_nm": ("uncertainty_xy [nm]", "uncertainty [nm]"),
        "sigma_z_nm": ("uncertainty_z [nm]",),
        "photons": ("intensity [photon]",),
        "background": ("offset [photon]",),
        "psf_sigma_nm": ("sigma [nm]",),
        **{name: (name,) for name in UNTOLD},
    }
)
CHALLENGE = CsvList(
    {
        "frame": ("frame",),
        "x_nm": ("xnano",),
        "y_nm": ("ynano",),
        "z_nm": ("znano",),
        "photons": ("intensity",),
        "channel": ("channel",),
    }
)
SMAP = CsvList(
    {
        "frame": ("frame",),
        "x_nm": ("xnm",),
        "y_nm": ("ynm",),
        "z_nm": ("znm",),
        "sigma_x_nm": ("locprecxnm", "locprecnm"),
        "sigma_y_nm": ("locprecynm", "locprecnm"),
        "sigma_z_nm": ("locprecznm",),
        "photons": ("phot",),
        "background": ("bg",),
        "psf_sigma_nm": ("PSFxnm",),
    }
)
PLAIN = CsvList({name: (name,) for name in SCHEMA} | {"photons": ("photons", "intensity_photons")})


class ChallengeWithoutHeader:
    """The challenge's ground truth without its header line: six numbers a line."""

    NAMES = ("number", "frame", "x_nm", "y_nm", "z_nm", "photons")

    def recognizes(self, start: bytes) -> bool:
        """Tell whether the first line holds six numbers."""
        cells = header_names(start)
        return len(cells) == len(self.NAMES) and all(map(_is_number, cells))

    def read(self, path: Path, pixel_size_nm: float | None) -> Localizations:
        """Return the table; the pixel size does not matter. Raises TableFormatError."""
        return read_columns(path, list(self.NAMES), {name: name for name in self.NAMES[1:]}, skip_rows=0)


def open_unpacked(path: Path) -> BinaryIO:
    """Open a file for reading; gzip is unpacked on the way."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return cast(BinaryIO, gzip.open(path)) if packed else path.open("rb")


def header_names(start: bytes) -> list[str]:
    """Return the cells of the first line, without quotes (spreadsheets double them) and spaces."""
    line = start.split(b"\n", 1)[0].decode("utf-8-sig", errors="replace")
    return [cell.strip() for cell in line.replace('"', "").split(",")]


def read_columns(path: Path, names: list[str], columns: Mapping[str, str], skip_rows: int) -> Localizations:
    """Read the columns of a list.

    Parameters
    ----------
    path : Path
        The list.
    names : list of str
        The names of all its columns.
    columns : mapping of our column name to one of `names`
        What is read.
    skip_rows : int
        Number of header lines.

    Raises
    ------
    TableFormatError
        A line with too few cells, or a cell that is not a number.
    """
    import pyarrow as pa
    from pyarrow import csv

    wanted = sorted(set(columns.values()))
    with open_unpacked(path) as file:
        try:
            table = csv.read_csv(
                file,
                csv.ReadOptions(column_names=names, skip_rows=skip_rows, use_threads=False),
                convert_options=csv.ConvertOptions(
                    include_columns=wanted, column_types=dict.fromkeys(wanted, pa.float64())
                ),
            )
        except (pa.ArrowInvalid, EOFError, gzip.BadGzipFile) as error:
            raise TableFormatError(
                f"{path} cannot be read: {error}", limit=f"{len(names)} numbers in each line."
            ) from error
    found = {ours: table.column(theirs).to_numpy() for ours, theirs in columns.items()}
    return Localizations(found | {"frame": _from_zero(path, found["frame"])})


def _from_zero(path: Path, frames: NDArray[np.float64]) -> NDArray[np.int64]:
    wrong = ~(frames >= _FIRST_FRAME) | (frames % 1 != 0)
    if wrong.any():
        raise TableFormatError(
            f"{path} has frame {frames[wrong][0]:g} in row {int(np.flatnonzero(wrong)[0]) + 1}",
            limit=f"Text lists count frames from {_FIRST_FRAME}, in whole numbers.",
            remedy="Correct the column of frames.",
        )
    return frames.astype(np.int64) - _FIRST_FRAME


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
