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
from stream.frame import StreamInfo
from stream.picture.channels import ChannelPlanes
from stream.picture.layers import CHANNEL_LAYERS, HIDING, Layers
from stream.picture.tiles import Float32Array, Marks, Pyramid, Tile

REACH_SIGMAS = 3.0
"""How far a Gaussian is drawn."""

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
    colours: tuple[Literal["z", "time", "photons"], ...] = ("z", "time", "photons")
    """By what the picture can be coloured beside its density; each takes a quarter of the picture's memory more."""

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
    channels : tuple of str
        What the colours are called that localizations come in; each takes as much memory as another layer.

    Attributes
    ----------
    pyramid : Pyramid
        The image at all resolutions.
    layers : Layers
        What the localizations carry, beside it.
    drawn, left_out : int
        Localizations drawn; localizations outside the field or with a position, sigma or colour that is not a number.
    """

    def __init__(
        self, width_nm: float, height_nm: float, settings: RenderSettings, channels: tuple[str, ...] = ()
    ) -> None:
        self.settings, self.channels = settings, channels
        self._height_px, self._width_px = _pixels(height_nm, settings.pixel_nm), _pixels(width_nm, settings.pixel_nm)
        self.pyramid = Pyramid(self._height_px, self._width_px, settings.pixel_nm, settings.tile_px)
        self.layers = Layers((*settings.colours, *CHANNEL_LAYERS[: len(channels)], HIDING), self.pyramid)
        self.drawn = self.left_out = 0
        self._draw(
            np.empty((0, 4)), np.empty((0, 0)), np.empty(0, np.int64), 1.0
        )  # compiled before the first batch waits

    @classmethod
    def of_field(
        cls, stream: StreamInfo, pixel_nm: float, settings: RenderSettings, channels: tuple[str, ...]
    ) -> Renderer:  # fmt: skip
        """Return a renderer for what a camera with pixels of a size sees."""
        return cls(stream.width_px * pixel_nm, stream.height_px * pixel_nm, settings, channels)

    def add(self, table: Localizations, weight: float = 1.0) -> None:
        """Draw localizations; with weight -1 what was drawn before is taken out again.

        Raises
        ------
        TableFormatError
            Gaussians are asked for, but the table gives no uncertainty.
        """
        x, y = (table[name].astype(np.float64) / self.settings.pixel_nm for name in ("x_nm", "y_nm"))
        spots = np.column_stack([x, y, *self._sigmas(table)])
        which, quantities = self.layers.carried(table)
        inside = (x >= 0) & (x < self._width_px) & (y >= 0) & (y < self._height_px)
        inside &= np.isfinite(spots).all(axis=1) & np.isfinite(quantities).all(axis=1)
        self.drawn += int(weight * inside.sum())
        self.left_out += int(weight * (~inside).sum())
        touched = self._draw(spots[inside], quantities[inside], which, weight)
        self.pyramid.levels[0].mark(touched)
        self.layers.mark(touched, which)

    @property
    def planes(self) -> ChannelPlanes | None:
        """The picture by colour; None where localizations have none."""
        return ChannelPlanes(self.pyramid, self.layers, self.channels) if self.channels else None

    def clear(self) -> None:
        """Take out everything that was drawn."""
        self.pyramid.clear()
        self.layers.clear()
        self.drawn = self.left_out = 0

    def _draw(self, spots: FloatArray, quantities: FloatArray, which: NDArray[np.int64], weight: float) -> Marks:
        """Draw spots (n, 4) that carry quantities (n, k) of layers (k,); return the tiles that were drawn on."""
        from stream.picture.drawing import draw  # loads numba, which reading the settings should not cost

        finest, field_px = self.pyramid.levels[0].values, np.array([self._height_px, self._width_px])
        touched = np.zeros(finest.shape[:2], bool)
        draw(spots, quantities, which, field_px, np.float32(weight), finest, self.layers.sums, touched)
        return touched

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
