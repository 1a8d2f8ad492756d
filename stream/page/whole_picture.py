"""The picture as it is now, as a file: put together from the finest tiles that the run has published."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np

from stream.errors import InputError
from stream.picture.channels import ChannelPlanes
from stream.picture.image import write_ome_tiff
from stream.picture.layers import CHANNEL_LAYERS, Layers, halved
from stream.picture.tiles import Pyramid, Tile

MAX_PIXELS = 1 << 28
"""A picture of 16384 x 16384 pixels takes 1.4 GB of memory while it is written."""


def write_picture(path: Path, start: dict[str, Any], tiles: Iterable[Tile]) -> None:
    """Write the picture as `render.ome.tif` at the end of a run.

    Parameters
    ----------
    path : Path
    start : dict
        Header of the message `start`.
    tiles : iterable of Tile
        All of the density that were published, and of the channels, where somebody looks at them: then each has a
        plane.

    Raises
    ------
    InputError
        There is nothing to write yet, or it is too large to be put together while the run goes on.
    StorageFault
        It could not be written.
    """
    all_finest = [tile for tile in tiles if tile.level == 0]
    finest = [tile for tile in all_finest if tile.layer == "density"]
    if not finest or not start:
        raise InputError("there is no picture yet", limit="it begins with the first localizations")
    pixel_nm, tile_px = finest[0].pixel_nm, finest[0].values.shape[0]
    height_px, width_px = (
        ceil(round(start["stream"][side] * start["pixel_size_nm"] / pixel_nm, 6)) for side in ("height_px", "width_px")
    )
    if height_px * width_px > MAX_PIXELS:
        raise InputError(
            f"the picture has {width_px} x {height_px} pixels",
            limit=f"{MAX_PIXELS} pixels can be put together while the run goes on",
            remedy="render.ome.tif in the run's folder is written when it ends; or choose a larger [render] pixel_nm",
        )
    pyramid = _pyramid(Pyramid(height_px, width_px, pixel_nm, tile_px), finest)
    of_channels = [tile for tile in all_finest if tile.layer in CHANNEL_LAYERS]
    write_ome_tiff(path, pyramid, _planes(pyramid, of_channels, tuple(start.get("channels", ()))))


def _pyramid(pyramid: Pyramid, finest: Iterable[Tile]) -> Pyramid:
    level = pyramid.levels[0]
    for tile in finest:
        level.values[tile.row, tile.column] = tile.values
        level.stale[tile.row, tile.column] = True
    return pyramid


def _planes(pyramid: Pyramid, shares: list[Tile], channels: tuple[str, ...]) -> ChannelPlanes | None:
    """Return the picture by channel from shares over its tiles; None if there are none."""
    if not shares or not channels:
        return None
    layers, finest = Layers(CHANNEL_LAYERS[: len(channels)], pyramid), pyramid.levels[0]
    for tile in shares:
        mass = halved(finest.values[tile.row, tile.column])
        layers.sums[layers.names.index(tile.layer), tile.row, tile.column] = tile.values * mass
    layers.mark(finest.stale, np.arange(len(channels)))
    return ChannelPlanes(pyramid, layers, channels)
