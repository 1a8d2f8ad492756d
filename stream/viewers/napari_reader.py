"""Opens the folder of a run in napari: the super-resolved picture, and the localizations as points.

Units are micrometres, the origin is the outer corner of camera pixel (0, 0), as in our tables.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from models.localizations import OUTSIDE, Localizations
from stream.readers.tables import read_table

LayerData = tuple[Any, dict[str, Any], str]
MOST_POINTS = 200_000
"""More are drawn slowly; what is left out is said in the layer's name."""
COLOURS = ["green", "magenta", "blue", "yellow", "red", "gray"]
"""Of the planes of a picture by channel, the last of which is what was not told."""
TABLES = ("table.parquet", "locs.hdf5")


def get_reader(path: str | list[str]) -> Callable[[str], list[LayerData]] | None:
    """Return the reader of a run's folder; None if it is none."""
    folder = Path(path[0] if isinstance(path, list) else path)
    return read_run if (folder / "run.json").is_file() else None


def read_run(path: str) -> list[LayerData]:
    """Return the layers of a run.

    Raises
    ------
    TableFormatError
        Its table is damaged.
    """
    folder = Path(path)
    layers = []
    if (picture := folder / "render.ome.tif").exists():
        layers.append(_picture(picture))
    if (table := next((folder / name for name in TABLES if (folder / name).exists()), None)) is not None:
        layers.append(_points(read_table(table)))
    return layers


def image_facts(pixel_nm: float) -> dict[str, Any]:
    """Return how a picture lies in the field: napari counts from the centre of its first pixel."""
    pixel_um = pixel_nm / 1000
    place = {"scale": (pixel_um, pixel_um), "translate": (pixel_um / 2, pixel_um / 2)}
    return {"name": "super-resolved", "colormap": "hot", "units": ("um", "um"), **place}


def _picture(path: Path) -> LayerData:
    """Return all levels of the picture; of one by channel a layer for each of its planes."""
    with tifffile.TiffFile(path) as file:
        levels = [level.asarray() for level in file.series[0].levels]
        pixels = tifffile.xml2dict(str(file.ome_metadata))["OME"]["Image"]["Pixels"]
    brightest = float(np.percentile(levels[-1], 99.9)) or 1.0
    facts = image_facts(1000 * float(pixels["PhysicalSizeX"]))
    if levels[0].ndim == 3:
        facts |= {
            "channel_axis": 0,
            "name": [channel["Name"] for channel in pixels["Channel"]],
            "colormap": _colours(len(levels[0])),
        }
    return levels, {**facts, "contrast_limits": (0.0, brightest), "multiscale": True}, "image"


def _colours(planes: int) -> list[str]:
    """Return napari's maps nearest to the colours of the page; the last is grey."""
    return [*COLOURS[: planes - 1], COLOURS[-1]]


def _points(table: Localizations) -> LayerData:
    """Return the localizations, coloured by height where there is one, else by frame.

    Their feature `outside` says which were located while the guard said outside: a filter of napari's can hide them.
    """
    kept = (
        np.linspace(0, len(table) - 1, MOST_POINTS).astype(int) if len(table) > MOST_POINTS else np.arange(len(table))
    )
    shown = "" if len(kept) == len(table) else f" ({len(kept)} of {len(table)})"
    features = {name: table[name][kept] for name in ("frame", "z_nm", "photons", "channel") if name in table}
    if "flags" in table:
        features["outside"] = (np.asarray(table["flags"])[kept] & OUTSIDE) > 0
    places = np.column_stack((table["y_nm"][kept], table["x_nm"][kept])) / 1000
    facts = {
        "name": f"localizations{shown}",
        "features": features,
        "face_color": "z_nm" if "z_nm" in features else "frame",
        "size": 0.05,
        "border_width": 0,
        "units": ("um", "um"),
        "visible": False,
    }
    return places, facts, "points"
