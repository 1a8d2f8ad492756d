"""ThunderSTORM CSV: `locs.csv`, one line per localization, frame and id from 1, nm from the corner of the first pixel.

Decision: `bkgstd [photon]` and `chi2` are left out, and so is any other column that the model does not give.
Context: no number of ours means the same, and ThunderSTORM imports a list with fewer columns.
Consequence: filters on these columns do not work.

`channel` and `channel_probability` are ours, behind its columns, where the table has them.
"""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from models.localizations import UNTOLD, Localizations, empty
from stream.sink import RunInfo
from stream.sinks.spot_width import spot_sigma_nm
from stream.sinks.storage import append, creating, writing

Columns = dict[str, NDArray[np.generic]]
_KEPT = "The localizations written before are in locs.csv."


class ThunderstormCsv:
    """Writes `locs.csv`, whole lines only; it is up to date after each `write`.

    Attributes
    ----------
    rejected : int
        Rows with a NaN or an infinite number, which ThunderSTORM cannot read; they are not written.
    """

    def __init__(self) -> None:
        self.rejected = 0
        self._written = 0
        self._has_header = False
        self._is_open = False

    def open(self, run: RunInfo) -> None:
        """Create the file. Raises OutputError if it exists or cannot be created."""
        self._run = run
        self._path = run.folder / "locs.csv"
        with creating(self._path):
            self._path.touch(exist_ok=False)
        self._is_open = True

    def write(self, table: Localizations, first: int, last: int) -> None:
        """Append the table. Raises StorageFault."""
        columns = thunderstorm_columns(table, self._run)
        good = np.all([np.isfinite(values) for values in columns.values()], axis=0)
        count = int(good.sum())
        identities = np.arange(self._written + 1, self._written + 1 + count)
        rows = {"id": identities} | {name: values[good] for name, values in columns.items()}
        with writing(self._path, _KEPT):
            append(self._path, self._header(rows) + _lines(rows) if len(table) else b"")
        self._has_header |= len(table) > 0
        self._written += count
        self.rejected += len(table) - count

    def skipped(self, first: int, last: int, reason: str) -> None:
        """Take no note: the format has no place for it; `ledger.json` has."""

    def close(self) -> None:
        """Give a list without localizations its header. Raises StorageFault."""
        if not self._is_open:
            return
        self._is_open = False
        with writing(self._path, _KEPT):
            append(self._path, self._header(["id", *thunderstorm_columns(empty(), self._run)]))

    def _header(self, rows: Iterable[str]) -> bytes:
        """Return the header line; once it is written, nothing."""
        return b"" if self._has_header else ",".join(f'"{name}"' for name in rows).encode() + b"\n"


def thunderstorm_columns(table: Localizations, run: RunInfo) -> Columns:
    """Return the columns of ThunderSTORM's list but `id`, by header, in its order."""
    sigma = spot_sigma_nm(table, run)
    columns: Columns = {"frame": np.add(table["frame"], 1), "x [nm]": table["x_nm"], "y [nm]": table["y_nm"]}
    if "z_nm" in table:
        columns |= {"z [nm]": table["z_nm"], "sigma1 [nm]": sigma, "sigma2 [nm]": sigma}
    else:
        columns["sigma [nm]"] = sigma
    if "photons" in table:
        columns["intensity [photon]"] = table["photons"]
    if "background" in table:
        columns["offset [photon]"] = table["background"]
    if "sigma_x_nm" in table and "sigma_y_nm" in table:
        columns["uncertainty_xy [nm]"] = _root_mean_square(table["sigma_x_nm"], table["sigma_y_nm"])
    if "sigma_z_nm" in table:
        columns["uncertainty_z [nm]"] = table["sigma_z_nm"]
    return columns | {name: table[name] for name in UNTOLD if name in table}


def _root_mean_square(a: NDArray[np.generic], b: NDArray[np.generic]) -> NDArray[np.float32]:
    return np.asarray(np.hypot(a, b) / np.sqrt(2), np.float32)


def _lines(rows: Columns) -> bytes:
    import pyarrow as pa
    from pyarrow import csv

    text = BytesIO()
    csv.write_csv(pa.table(rows), text, csv.WriteOptions(include_header=False))
    return text.getvalue()
