"""Picasso HDF5, also one that is still being written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.localizations import UNTOLD, Localizations
from stream.errors import TableFormatError
from stream.sinks.picasso_info import pixel_size_nm as stated_pixel_size_nm

_PLAIN_COLUMNS = {
    "photons": "photons", "bg": "background", "z": "z_nm", "lpz": "sigma_z_nm", "flags": "flags",
    **{name: name for name in UNTOLD},
}  # fmt: skip
_PIXEL_COLUMNS = {"lpx": "sigma_x_nm", "lpy": "sigma_y_nm"}


class PicassoReader:
    """Reads `/locs`; the pixel size comes from the sidecar YAML or from `/metadata`."""

    def recognizes(self, start: bytes) -> bool:
        """Tell whether the file is HDF5."""
        return start.startswith(b"\x89HDF")

    def read(self, path: Path, pixel_size_nm: float | None) -> Localizations:
        """Return the table in nm. Raises TableFormatError if it is no list or no pixel size is known."""
        try:
            with _open(path) as file:
                rows = _rows(path, file)
                pixel = pixel_size_nm or _sidecar_pixel_size(path) or _embedded_pixel_size(file)
        except (OSError, RuntimeError) as error:  # h5py's errors of a damaged file are of both kinds
            raise TableFormatError(f"{path} cannot be read: {error}", remedy="Copy the file again.") from error
        if pixel is None:
            raise TableFormatError(
                f"{path} does not say how large its pixels are",
                limit="Picasso counts in camera pixels; the size is taken from Pixelsize in the YAML file beside it.",
                remedy="Give it with --pixel-size-nm, or put the YAML file beside the list.",
            )
        return _in_nm(rows, pixel)


def _open(path: Path) -> Any:
    import h5py

    try:
        return h5py.File(path, "r")
    except OSError:
        return h5py.File(path, "r", swmr=True)  # a file that another program is writing


def _rows(path: Path, file: Any) -> NDArray[np.void]:
    locs = file.get("locs")
    names = set(getattr(getattr(locs, "dtype", None), "names", None) or ())
    if not {"frame", "x", "y"} <= names:
        raise TableFormatError(
            f"{path} is an HDF5 file with {', '.join(file) or 'nothing'}, but not Picasso's",
            limit="Picasso has a table called locs with the columns frame, x and y.",
            remedy="Export the list as ThunderSTORM CSV from the program that wrote it.",
        )
    rows = np.asarray(locs[:])
    if np.any(rows["frame"] % 1):
        raise TableFormatError(
            f"{path} has fractions of frames",
            limit="A list of localizations has one frame in each row.",
            remedy="Use the list that these molecules or clusters were made from.",
        )
    return rows


def _in_nm(rows: NDArray[np.void], pixel_nm: float) -> Localizations:
    names = rows.dtype.names or ()
    columns = {"frame": rows["frame"], "x_nm": (rows["x"] + 0.5) * pixel_nm, "y_nm": (rows["y"] + 0.5) * pixel_nm}
    columns |= {ours: rows[theirs] for theirs, ours in _PLAIN_COLUMNS.items() if theirs in names}
    columns |= {ours: rows[theirs] * pixel_nm for theirs, ours in _PIXEL_COLUMNS.items() if theirs in names}
    if {"sx", "sy"} <= set(names):
        columns["psf_sigma_nm"] = (rows["sx"] + rows["sy"]) / 2 * pixel_nm
    return Localizations(columns)


def _sidecar_pixel_size(path: Path) -> float | None:
    import yaml

    sidecar = path.with_suffix(".yaml")
    if not sidecar.is_file():
        return None
    try:
        return stated_pixel_size_nm(list(yaml.safe_load_all(sidecar.read_text(encoding="utf-8"))))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise TableFormatError(
            f"{sidecar} cannot be read: {error}", remedy="Give the pixel size with --pixel-size-nm."
        ) from error


def _embedded_pixel_size(file: Any) -> float | None:
    if "metadata" not in file:
        return None
    try:
        return stated_pixel_size_nm(json.loads(file["metadata"][()]))
    except (TypeError, ValueError):  # a dataset of this name that is not Picasso's
        return None
