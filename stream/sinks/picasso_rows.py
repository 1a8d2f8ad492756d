"""Localizations as rows of Picasso's table.

Coordinates are in camera pixels, integer at the centre of a pixel: x = x_nm / pixel_size_nm - 0.5; z is in nm.
`channel`, its probability and `flags` are ours, where the table has them: Picasso keeps additional columns, and filters
by them.

Decision: what Picasso requires and a table does not have is filled: photons, bg and net_gradient with 0, sx and sy with
the PSF's width, lpx and lpy with sx and sy.
Context: these columns are not optional there.
Consequence: `filled` names them, and they are not to be filtered by.
"""

from __future__ import annotations

from collections.abc import Container

import numpy as np
from numpy.typing import NDArray

from models.localizations import Localizations
from stream.sink import RunInfo
from stream.sinks.spot_width import spot_sigma_nm

_REQUIRED = ("x", "y", "photons", "sx", "sy", "bg", "lpx", "lpy", "net_gradient")
_NEVER_NEGATIVE = ("x", "y", "photons", "sx", "sy", "lpx", "lpy", "lpz")
_FILLED_WITHOUT = {
    "photons": "photons",
    "psf_sigma_nm": "sx, sy",
    "background": "bg",
    "sigma_x_nm": "lpx",
    "sigma_y_nm": "lpy",
}
_OURS = {"channel": "<i4", "channel_probability": "<f4", "flags": "<u4"}


def row_dtype(columns: Container[object] = ()) -> np.dtype[np.void]:
    """Return the dtype of a row of a table with these columns; `z`, `lpz` and ours follow the required ones."""
    names = (*_REQUIRED, "z", "lpz") if "z_nm" in columns else _REQUIRED
    ours = [(name, dtype) for name, dtype in _OURS.items() if name in columns]
    return np.dtype([("frame", "<u4"), *((name, "<f4") for name in names), *ours])


def to_rows(table: Localizations, run: RunInfo) -> NDArray[np.void]:
    """Return the table as Picasso's rows, (n,) structured; some may be such that Picasso drops them."""
    pixel = np.float32(run.pixel_size_nm)
    sigma = spot_sigma_nm(table, run)
    zeros = np.zeros(len(table), np.float32)
    columns = {
        "frame": table["frame"],
        "x": _column(table, "x_nm", zeros) / pixel - np.float32(0.5),
        "y": _column(table, "y_nm", zeros) / pixel - np.float32(0.5),
        "photons": _column(table, "photons", zeros),
        "sx": sigma / pixel,
        "sy": sigma / pixel,
        "bg": _column(table, "background", zeros),
        "lpx": _column(table, "sigma_x_nm", sigma) / pixel,
        "lpy": _column(table, "sigma_y_nm", sigma) / pixel,
        "net_gradient": zeros,
    }
    if "z_nm" in table:
        columns |= {"z": table["z_nm"], "lpz": _column(table, "sigma_z_nm", zeros)}
    columns |= {name: table[name] for name in _OURS if name in table}
    rows = np.empty(len(table), row_dtype(table))
    for name, values in columns.items():
        rows[name] = values
    return rows


def kept_by_picasso(rows: NDArray[np.void], run: RunInfo) -> NDArray[np.bool_]:
    """Return which rows Picasso keeps when it loads the file, (n,) bool."""
    names = rows.dtype.names or ()
    good = np.all([np.isfinite(rows[name]) for name in names], axis=0)
    good &= np.all([rows[name] >= 0 for name in names if name in _NEVER_NEGATIVE], axis=0)
    return np.asarray(good & (rows["x"] < run.stream.width_px) & (rows["y"] < run.stream.height_px))


def filled(table: Localizations) -> str:
    """Name the columns that are filled because the table does not have them."""
    names = [name for source, name in _FILLED_WITHOUT.items() if source not in table]
    return ", ".join([*names, "net_gradient"])


def _column(table: Localizations, name: str, default: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(table[name], np.float32) if name in table else default
