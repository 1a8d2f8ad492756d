"""A picture of a finished run, read from its file; what it was drawn from may be gone."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stream.errors import TableFormatError
from stream.images.blocks import TILE_PX
from stream.picture.layers import PICTURES
from stream.picture.tiles import Pyramid, cut


def file_of(name: str) -> str:
    """Return the file that a run keeps a picture in."""
    return f"{name}.ome.tif"


def kept_pictures(folder: Path) -> dict[str, Pyramid]:
    """Return the pictures that a run has kept beside its density, by name.

    Raises
    ------
    TableFormatError
        One of the files is damaged.
    """
    paths = {name: folder / file_of(name) for name in PICTURES}
    return {name: kept_picture(path) for name, path in paths.items() if path.exists()}


def kept_picture(path: Path) -> Pyramid:
    """Return the picture of a file. Raises TableFormatError if it is damaged."""
    import tifffile  # with its codecs, for finished runs only

    try:
        with tifffile.TiffFile(path) as tiff:
            picture = np.asarray(tiff.series[0].asarray(), np.float32)
            pixels, cm = tiff.pages.first.tags["XResolution"].value
    except (OSError, ValueError, LookupError, tifffile.TiffFileError) as error:
        raise TableFormatError(
            f"{path} cannot be read: {error}", limit="a run writes it when it ends", remedy="remove the file"
        ) from error
    return _pyramid(picture, 1e7 * cm / pixels)


def _pyramid(picture: np.ndarray, pixel_nm: float) -> Pyramid:
    height, width = picture.shape
    pyramid = Pyramid(height, width, pixel_nm, TILE_PX)
    finest = pyramid.levels[0]
    finest.values[:] = cut(picture, TILE_PX)
    finest.mark(np.asarray(finest.values.any(axis=(2, 3)), np.bool_))
    return pyramid
