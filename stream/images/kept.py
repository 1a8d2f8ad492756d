"""The image layer of a finished run, read from its file; the frames that it was drawn from may be gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from stream.errors import TableFormatError
from stream.images.blocks import TILE_PX
from stream.images.published import of_layer
from stream.picture.tiles import Pyramid, Tile

NAME = "image.ome.tif"


class KeptImage:
    """A picture that changes no more; satisfies `Pictured`.

    Parameters
    ----------
    path : Path
        `image.ome.tif` of a run.

    Raises
    ------
    TableFormatError
        The file is damaged.
    """

    def __init__(self, path: Path) -> None:
        import tifffile  # with its codecs, for finished runs only

        try:
            with tifffile.TiffFile(path) as tiff:
                picture = np.asarray(tiff.series[0].asarray(), np.float32)
                pixels, cm = tiff.pages.first.tags["XResolution"].value
        except (OSError, ValueError, LookupError, tifffile.TiffFileError) as error:
            raise TableFormatError(
                f"{path} cannot be read: {error}", limit="a run writes it when it ends", remedy="remove the file"
            ) from error
        self.pyramid = _pyramid(picture, 1e7 * cm / pixels)

    def changed(self) -> Iterator[Tile]:
        """Yield the tiles that changed since they were last yielded, the coarsest first."""
        return of_layer(self.pyramid.changed())


def _pyramid(picture: np.ndarray, pixel_nm: float) -> Pyramid:
    height, width = picture.shape
    pyramid = Pyramid(height, width, pixel_nm, TILE_PX)
    finest = pyramid.levels[0]
    rows, columns = finest.changed.shape
    whole = np.zeros((rows * TILE_PX, columns * TILE_PX), np.float32)
    whole[:height, :width] = picture
    finest.values[:] = whole.reshape(rows, TILE_PX, columns, TILE_PX).transpose(0, 2, 1, 3)
    finest.mark(np.asarray(finest.values.any(axis=(2, 3)), np.bool_))
    return pyramid
