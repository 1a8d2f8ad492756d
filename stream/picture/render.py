"""Localizations -> super-resolved image: each one is a spot of unit mass, drawn once.

The cost of a batch depends on the batch alone, however many localizations were drawn before.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.localizations import Localizations
from stream.errors import TableFormatError
from stream.picture.tiles import Float32Array, PixelIndices, Pyramid, Tile

REACH_SIGMAS = 3.0
PIXELS_AT_ONCE = 1 << 18
"""Pixels drawn by one indexed addition: its indices and masses stay in the processor's cache."""

FloatArray = NDArray[np.float64]


class RenderSettings(BaseModel):
    """`[render]`: the super-resolved image."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    pixel_nm: float = Field(10.0, ge=1, le=1000)
    """Size of a super-resolved pixel."""
    tile_px: int = Field(256, ge=64, le=1024, multiple_of=16)
    """Side of a tile; TIFF wants multiples of 16."""
    method: Literal["gaussian", "histogram"] = "gaussian"
    """gaussian: as wide as the localization is uncertain; histogram: one pixel."""
    min_sigma_nm: float = Field(5.0, gt=0, le=1000)
    """Gaussians are drawn no narrower than this."""
    max_sigma_nm: float = Field(100.0, gt=0, le=1000)
    """Gaussians are drawn no wider than this."""

    @model_validator(mode="after")
    def _spot_fits(self) -> Self:
        if self.min_sigma_nm > self.max_sigma_nm:
            raise ValueError(f"min_sigma_nm = {self.min_sigma_nm:g} is above max_sigma_nm = {self.max_sigma_nm:g}")
        widest = 2 * ceil(REACH_SIGMAS * self.max_sigma_nm / self.pixel_nm) + 1
        if widest > self.tile_px:
            raise ValueError(
                f"max_sigma_nm = {self.max_sigma_nm:g} makes spots of {widest} pixels, more than tile_px = "
                f"{self.tile_px}: choose a smaller max_sigma_nm or a larger pixel_nm"
            )
        return self


class Renderer:
    """Draws localizations on a pyramid of tiles.

    Parameters
    ----------
    width_nm, height_nm : float
        Field of view, from the outer corner of camera pixel (0, 0).
    settings : RenderSettings
        How to draw.

    Attributes
    ----------
    pyramid : Pyramid
        The image at all resolutions.
    drawn, left_out : int
        Localizations drawn; localizations outside the field or with a position or sigma that is not a number.
    """

    def __init__(self, width_nm: float, height_nm: float, settings: RenderSettings) -> None:
        self.settings = settings
        self._height_px, self._width_px = _pixels(height_nm, settings.pixel_nm), _pixels(width_nm, settings.pixel_nm)
        self.pyramid = Pyramid(self._height_px, self._width_px, settings.pixel_nm, settings.tile_px)
        self.drawn = self.left_out = 0

    def add(self, table: Localizations, weight: float = 1.0) -> None:
        """Draw localizations; with weight -1 what was drawn before is taken out again.

        Raises
        ------
        TableFormatError
            Gaussians are asked for, but the table gives no uncertainty.
        """
        x, y = (table[name].astype(np.float64) / self.settings.pixel_nm for name in ("x_nm", "y_nm"))
        sigma_x, sigma_y = self._sigmas(table)
        inside = (x >= 0) & (x < self._width_px) & (y >= 0) & (y < self._height_px) & np.isfinite(sigma_x + sigma_y)
        self.drawn += int(weight * inside.sum())
        self.left_out += int(weight * (~inside).sum())
        x, y, sigma_x, sigma_y = x[inside], y[inside], sigma_x[inside], sigma_y[inside]
        reach = np.ceil(REACH_SIGMAS * np.maximum(sigma_x, sigma_y)).astype(np.intp)
        for group in _of_one_reach(reach):
            rows, row_mass = _profile(y[group], sigma_y[group], reach[group[0]], self._height_px)
            columns, column_mass = _profile(x[group], sigma_x[group], reach[group[0]], self._width_px)
            self.pyramid.add(rows, columns, row_mass * np.float32(weight), column_mass)

    def clear(self) -> None:
        """Take out everything that was drawn."""
        self.pyramid.clear()
        self.drawn = self.left_out = 0

    def _sigmas(self, table: Localizations) -> tuple[FloatArray, FloatArray]:
        """Return the widths to draw along x and y, (n,) in super-resolved pixels; 0 is a single pixel."""
        if self.settings.method == "histogram":
            return np.zeros(len(table)), np.zeros(len(table))
        if "sigma_x_nm" not in table or "sigma_y_nm" not in table:
            raise TableFormatError(
                f"cannot draw Gaussians: the table has only {', '.join(table)}",
                limit="sigma_x_nm and sigma_y_nm are the widths of the Gaussians",
                remedy='set [render] method = "histogram"',
            )
        narrowest, widest = self.settings.min_sigma_nm, self.settings.max_sigma_nm
        sigma_x, sigma_y = (
            np.clip(table[name].astype(np.float64), narrowest, widest) / self.settings.pixel_nm
            for name in ("sigma_x_nm", "sigma_y_nm")
        )
        return sigma_x, sigma_y

    def changed(self) -> Iterator[Tile]:
        """Yield the tiles of all levels that changed since they were last yielded, the coarsest first."""
        return self.pyramid.changed()

    def image(self, level: int = 0) -> Float32Array:
        """Return the field at a resolution of the pyramid, (y, x) float32 localizations per pixel."""
        self.pyramid.refresh()
        return self.pyramid.levels[level].image()


def _pixels(length_nm: float, pixel_nm: float) -> int:
    return ceil(round(length_nm / pixel_nm, 6))


def _of_one_reach(reach: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Return the rows of each reach, in groups of at most PIXELS_AT_ONCE pixels."""
    groups = []
    for size in np.unique(reach).tolist():
        rows = np.flatnonzero(reach == size)
        at_once = max(1, PIXELS_AT_ONCE // (2 * size + 1) ** 2)
        groups += [rows[start : start + at_once] for start in range(0, len(rows), at_once)]
    return groups


def _profile(centre: FloatArray, sigma: FloatArray, reach: int, length_px: int) -> tuple[PixelIndices, Float32Array]:
    """Integrate Gaussians over pixels, along one axis.

    Decision: what falls beyond the reach or the edge of the field is given to the pixels that remain. Context: the sum
    of the image is the number of localizations. Consequence: spots at the very edge are up to twice as bright per axis.

    Parameters
    ----------
    centre, sigma : (n,) float64
        In pixels; pixel i spans i to i + 1.
    reach : int
        Pixels drawn on each side of the one that holds the centre.
    length_px : int
        Pixels of the field.

    Returns
    -------
    pixels : (n, 2 reach + 1) intp
        Indices, kept inside the field.
    mass : (n, 2 reach + 1) float32
        Sums to 1 along each row.
    """
    pixels = np.floor(centre).astype(np.intp)[:, None] + np.arange(-reach, reach + 1)
    if reach == 0:
        return pixels, np.ones(pixels.shape, np.float32)
    from scipy.special import erf  # 0.3 s that reading the settings should not cost

    edges = np.arange(-reach, reach + 2) - (centre % 1)[:, None]
    mass = np.diff(erf(edges / (sigma * np.sqrt(2))[:, None]), axis=1)
    mass[(pixels < 0) | (pixels >= length_px)] = 0
    return np.clip(pixels, 0, length_px - 1), (mass / mass.sum(axis=1, keepdims=True)).astype(np.float32)
