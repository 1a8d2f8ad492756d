"""The super-resolved image as files: OME-TIFF with all densities, PNG to look at."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from stream.picture import colours, scale_bar
from stream.picture.channels import ChannelPlanes
from stream.picture.tiles import Float32Array, Level, Pyramid
from stream.sinks.storage import writing

MAX_PNG_PX = 4096
KEPT = "The localizations are safe: the image can be drawn from them again."


class Named(NamedTuple):
    """What an image is called, and what it is, in a file."""

    name: str
    description: str


RENDERED = Named("super-resolved image", "localizations in each pixel")


def write_ome_tiff(
    path: Path, pyramid: Pyramid, planes: ChannelPlanes | None = None, named: Named = RENDERED
) -> None:  # fmt: skip
    """Write the image as a tiled, pyramidal OME-TIFF, float32 per super-resolved pixel, named and described.

    With planes, each of them is a channel of the file; their sum is the image.

    Decision: coarser levels hold means, not the pyramid's sums. Context: viewers keep one contrast for all levels.
    Consequence: every level has the unit of the finest one, and looks alike.

    Raises
    ------
    StorageFault
        The file could not be written; an older one stays as it was.
    """
    import tifffile  # with its codecs, needed at the end of a run only

    (planes or pyramid).refresh()
    finest, *coarser = pyramid.levels
    size_um = finest.pixel_nm / 1000
    metadata = {"axes": "YX", "PhysicalSizeX": size_um, "PhysicalSizeY": size_um}
    metadata |= {"PhysicalSizeXUnit": "µm", "PhysicalSizeYUnit": "µm"}
    metadata |= {"Name": named.name, "Description": named.description}
    if planes is not None:
        metadata |= {"axes": "CYX", "Channel": {"Name": list(planes.names)}}
    partial = path.with_name(path.name + ".partial")
    with writing(path, KEPT):
        with tifffile.TiffWriter(partial, ome=True, bigtiff=True) as tiff:
            tiff.write(_tiles(finest, planes), **_layout(finest, planes), subifds=len(coarser), metadata=metadata)
            for level in coarser:
                tiff.write(_tiles(level, planes), **_layout(level, planes), subfiletype=1, metadata=None)
        partial.replace(path)


def _tiles(level: Level, planes: ChannelPlanes | None) -> Iterator[Float32Array]:
    """Yield the tiles row by row, one in memory at a time; plane after plane."""
    rows, columns, _, _ = level.values.shape
    for plane in range(len(planes.names) if planes else 1):
        for row, column in product(range(rows), range(columns)):
            tile = planes.tile(plane, level.number, row, column) if planes else level.values[row, column]
            yield tile / np.float32(4**level.number)


def _layout(level: Level, planes: ChannelPlanes | None) -> dict[str, Any]:
    pixels_per_cm, field_px = 1e7 / level.pixel_nm, (level.height_px, level.width_px)
    return {
        "shape": (len(planes.names), *field_px) if planes else field_px,
        "dtype": np.float32,
        "tile": (level.tile_px, level.tile_px),
        "photometric": "minisblack",
        "compression": "zlib",
        "predictor": 3,
        "maxworkers": 1,
        "resolution": (pixels_per_cm, pixels_per_cm),
        "resolutionunit": "CENTIMETER",
    }


def write_png(path: Path, pyramid: Pyramid, planes: ChannelPlanes | None = None) -> None:
    """Write a picture of at most 4096 x 4096 pixels, with automatic contrast and a scale bar; with planes in colours.

    Raises
    ------
    StorageFault
        The file could not be written; an older one stays as it was.
    """
    from imagecodecs import png_encode  # needed at the end of a run only

    (planes or pyramid).refresh()
    levels = pyramid.levels
    level = next(level for level in levels if max(level.height_px, level.width_px) <= MAX_PNG_PX)
    density = level.image()
    white = colours.white_point(density)
    if planes is None:
        picture = colours.hot(density, white)
    else:
        by_plane = [planes.image(plane, level.number) for plane in range(len(planes.names))]
        picture = colours.by_channel(density, white, by_plane)
    scale_bar.draw(picture, level.pixel_nm)
    partial = path.with_name(path.name + ".partial")
    with writing(path, KEPT):
        partial.write_bytes(png_encode(picture))
        partial.replace(path)


FILES = {"render.ome.tif": write_ome_tiff, "render.png": write_png}
"""What is written of the picture at the end of a run."""
