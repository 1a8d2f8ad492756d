"""A whole field -> its predicted image: tiles as the network has learned them, overlapping by half, blended.

| step | in -> out |
|---|---|
| counts | x, y in nm -> localizations in each pixel of 20 nm |
| tiles | counts, widefield image -> tiles on the scales of the training: their own mean, deviation, least and most |
| scale | prediction from 0 to 1 -> as many localizations as the tile holds so far, where they are to be expected |
| blend | tiles under windows that fall to zero at their edges and sum to one -> the field, without a seam |

Decision: scales are those of a tile, and what comes out is scaled to its localizations. Context: the network has
learned tiles that are full of one structure; scaled by the whole field, a crowded corner would darken all others, and
scaled to its own most, each tile would have a brightness of its own. Consequence: neighbours fit together, and where
nothing has been located nothing is predicted, whatever the widefield image shows.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from models.predicted.samples import rms, standard, unit
from models.predicted.space import COARSER, PIXEL_NM, PREDICTED, TILE_PX, TRAINED_STRUCTURES
from stream.engine import Run
from stream.picture.tiles import Float32Array

STEP_PX = TILE_PX // 2
AT_ONCE = 4
LEAST = round(
    PREDICTED["share"].low * PREDICTED["localizations_per_um2"].low * (TILE_PX * PIXEL_NM / 1000) ** 2
)  # fmt: skip
"""Localizations of a tile; with fewer the network was not trained, and nothing is predicted."""


class Whole(NamedTuple):
    """What is predicted of a field.

    Parameters
    ----------
    image : (y, x) float32
        Localizations in each pixel of 20 nm: as many as there are, where they are to be expected.
    error : (y / 4, x / 4) float32
        What the widefield image shows otherwise, over its standard deviation.
    errors : (t,) float64
        Root mean square of the error of each tile in which something is predicted.
    """

    image: Float32Array
    error: Float32Array
    errors: NDArray[np.float64]


class FieldPredictor:
    """Counts localizations and predicts from them.

    Parameters
    ----------
    run : callable
        `Engine.run`, of a model that predicts dense images.
    structure : str
        What the sample is, of `TRAINED_STRUCTURES`.
    height_nm, width_nm : float
        Of the field.

    Attributes
    ----------
    shape_px, coarse_px : (int, int)
        Of what is predicted: y, x.
    """

    def __init__(self, run: Run, structure: str, height_nm: float, width_nm: float) -> None:
        self._run = run
        self._structure = np.array([[structure == one for one in TRAINED_STRUCTURES]], np.float32)
        self.shape_px, self.coarse_px = shapes_of(height_nm, width_nm)
        steps = [max(1, -(-side // STEP_PX) - 1) for side in self.shape_px]
        self._counts = np.zeros([(count + 1) * STEP_PX for count in steps], np.float32)
        self._corners = [(STEP_PX * row, STEP_PX * column) for row, column in product(*map(range, steps))]

    @property
    def localizations(self) -> int:
        """That are counted."""
        return int(self._counts.sum())

    def add(self, x_nm: Float32Array, y_nm: Float32Array) -> None:
        """Count localizations (n,); those outside the field, or at no place that is a number, are passed over."""
        y, x = y_nm / PIXEL_NM, x_nm / PIXEL_NM
        inside = (y >= 0) & (y < self.shape_px[0]) & (x >= 0) & (x < self.shape_px[1])
        np.add.at(self._counts, (y[inside].astype(np.int64), x[inside].astype(np.int64)), np.float32(1))

    def predict(self, widefield: NDArray[np.floating], camera_pixel_nm: float) -> Whole:
        """Return what is to be expected.

        Parameters
        ----------
        widefield : (y, x)
            Sum or mean of the camera's frames, in its pixels, of any scale.
        camera_pixel_nm : float
        """
        wide = self._coarse(widefield, camera_pixel_nm)
        image, error = Blend(self._counts.shape, TILE_PX), Blend(wide.shape, TILE_PX // COARSER)
        errors: list[float] = []
        full = [corner for corner in self._corners if self._tile(corner).sum() >= LEAST]
        for first in range(0, len(full), AT_ONCE):
            corners = full[first : first + AT_ONCE]
            for corner, said, doubt in zip(corners, *self._said(corners, wide), strict=True):
                tile = self._tile(corner)
                image.add(corner, said * (tile.sum() / max(float(said.sum()), 1e-6)))
                error.add((corner[0] // COARSER, corner[1] // COARSER), doubt)
                errors.append(rms(doubt))
        (height, width), (rows, columns) = self.shape_px, self.coarse_px
        return Whole(image.sum[:height, :width], error.sum[:rows, :columns], np.array(errors))

    def _said(self, corners: list[tuple[int, int]], wide: Float32Array) -> tuple[Float32Array, Float32Array]:
        side = TILE_PX // COARSER
        starts = [(y // COARSER, x // COARSER) for y, x in corners]
        found = self._run({
            "sparse": np.stack([standard(self._tile(corner)) for corner in corners]),
            "widefield": np.stack([unit(wide[y : y + side, x : x + side]) for y, x in starts]),
            "structure": np.repeat(self._structure, len(corners), axis=0),
        })  # fmt: skip
        return np.asarray(found["prediction"], np.float32), np.asarray(found["error"], np.float32)

    def _tile(self, corner: tuple[int, int]) -> Float32Array:
        y, x = corner
        return self._counts[y : y + TILE_PX, x : x + TILE_PX]

    def _coarse(self, widefield: NDArray[np.floating], camera_pixel_nm: float) -> Float32Array:
        """Return a camera picture in pixels of the widefield image; beyond the field as at its edge."""
        sides = [side // COARSER for side in self._counts.shape]
        places = [(np.arange(side) + 0.5) * COARSER * PIXEL_NM / camera_pixel_nm - 0.5 for side in sides]
        at = np.meshgrid(*places, indexing="ij")
        return np.asarray(map_coordinates(np.asarray(widefield, np.float32), at, order=1, mode="nearest"), np.float32)


class Blend:
    """Adds up tiles that overlap by half.

    Parameters
    ----------
    shape : (int, int)
        Of the field, in whole tiles and halves.
    side_px : int
        Of a tile.

    Attributes
    ----------
    sum : (y, x) float32
        What has been added up.
    """

    def __init__(self, shape: tuple[int, ...], side_px: int) -> None:
        self.sum: Float32Array = np.zeros(shape, np.float32)
        self._side = side_px
        self._window_inside = (1 - np.abs((np.arange(side_px) + 0.5) / (side_px / 2) - 1)).astype(np.float32)

    def add(self, corner: tuple[int, int], tile: Float32Array) -> None:
        """Add a tile under its window, which stays at one towards an edge of the field."""
        rows, columns = (self._window(at, size) for at, size in zip(corner, self.sum.shape, strict=True))
        y, x = corner
        self.sum[y : y + self._side, x : x + self._side] += rows[:, None] * columns * tile

    def _window(self, start: int, size_px: int) -> Float32Array:
        window: Float32Array = self._window_inside.copy()
        half = self._side // 2
        if start == 0:
            window[:half] = 1
        if start + self._side == size_px:
            window[half:] = 1
        return window


def shapes_of(height_nm: float, width_nm: float) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return how many pixels, (y, x), a predicted image and its error map have."""
    height, width = (-(-round(side, 6) // PIXEL_NM) for side in (height_nm, width_nm))
    return (int(height), int(width)), (-(-int(height) // COARSER), -(-int(width) // COARSER))
