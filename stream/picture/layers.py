"""What the localizations in a pixel carry on average: z, time and photons, by which the picture can be coloured.

`outside` is the share of them that was located while the guard said outside, by which they can be hidden;
`channel-0` and so on are the shares of the colours that a network told.

Decision: half the resolution of the density. Context: brightness carries the detail and colour none that the eye could
follow there, as video has long made use of; localizations are drawn wider than a pixel. Consequence: a layer takes a
quarter of the picture's memory, and its tile lies at the same level, row and column as that of the density.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from models.localizations import CHANNELS, OUTSIDE, Localizations
from stream.errors import RigError
from stream.picture.tiles import Float32Array, Marks, Pyramid, Tile

HIDING = "outside"
CHANNEL_LAYERS = tuple(f"channel-{k}" for k in range(CHANNELS))
LAYERS = {
    "z": "z_nm", "time": "frame", "photons": "photons", HIDING: "flags", **dict.fromkeys(CHANNEL_LAYERS, "channel")
}  # fmt: skip
"""Layer -> the column of the table that it is the mean of: nm, frame index, photo-electrons, a bit of the flags,
whether the channel is this one."""
SHARES = (HIDING, *CHANNEL_LAYERS)
IMAGE, PREDICTION, PREDICTION_ERROR = "image", "prediction", "error-of-prediction"
PICTURES = (IMAGE, PREDICTION, PREDICTION_ERROR)
"""Layers that networks draw (`stream/images/`, `stream/predicted/`): pictures of their own, with their own pixels."""
LEAST = 1e-6
"""Localizations in a pixel; where there are fewer, rounding is all there is to be seen."""


class Layers:
    """Sums of what the localizations carry, weighted as they are drawn, over the density's tiles.

    Parameters
    ----------
    names : sequence of str
        Of LAYERS.
    density : Pyramid
        The picture.

    Raises
    ------
    RigError
        There is no memory for them.

    Attributes
    ----------
    names : tuple of str
        As given.
    sums : (layer, row, column, y, x) float32
        Tiles of level 0, sums of mass times quantity per pixel of half the resolution.
    """

    def __init__(self, names: Sequence[str], density: Pyramid) -> None:
        finest = density.levels[0]
        half_px, height_px, width_px = (-(-size // 2) for size in (finest.tile_px, finest.height_px, finest.width_px))
        self.names, self._density = tuple(names), density
        try:
            self.sums = np.zeros((len(names), *finest.changed.shape, half_px, half_px), np.float32)
        except MemoryError as error:
            raise RigError(
                f"the layers {', '.join(names)} of a picture of {finest.width_px} x {finest.height_px} pixels cannot "
                "be held",
                limit=f"they need {len(names) * height_px * width_px * 5.4e-9:.0f} GB of memory",
                remedy="choose fewer [render] colours, or a larger pixel_nm",
            ) from error
        self._pyramids = [Pyramid(height_px, width_px, 2 * finest.pixel_nm, half_px, sums) for sums in self.sums]

    def carried(self, table: Localizations) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return which layers a table has something for, (k,), and what its rows carry, (n, k).

        A table without a row that was located outside, or of a channel, has nothing for that layer: where nothing is,
        no memory is taken.
        """
        carried = {number: _quantity(name, table) for number, name in enumerate(self.names) if LAYERS[name] in table}
        which = [number for number, values in carried.items() if self.names[number] not in SHARES or values.any()]
        quantities = np.empty((len(table), len(which)))
        for column, number in enumerate(which):
            quantities[:, column] = carried[number]
        return np.array(which, np.int64), quantities

    def mark(self, touched: Marks, which: NDArray[np.int64]) -> None:
        """Note that these tiles of level 0 were drawn on, in these layers; a mean changes with the density too."""
        for number, pyramid in enumerate(self._pyramids):
            finest = pyramid.levels[0]
            finest.mark(touched if number in which else touched & finest.drawn)

    def refresh(self) -> None:
        """Bring all levels of all layers up to date."""
        for pyramid in self._pyramids:
            pyramid.refresh()

    def mean(self, name: str, level: int, row: int, column: int) -> Float32Array:
        """Return the means of a layer over a tile of the density, (y, x) float32 at half its resolution."""
        sums = self._pyramids[self.names.index(name)].levels[level].values[row, column]
        return _means(sums, self._density.levels[level].values[row, column])

    def clear(self) -> None:
        """Make all layers empty."""
        for pyramid in self._pyramids:
            pyramid.clear()

    def ask_anew(self, name: str) -> None:
        """Let `changed` yield all tiles of a layer once more."""
        self._pyramids[self.names.index(name)].change_all()

    def changed(self, name: str) -> Iterator[Tile]:
        """Yield means over the tiles of a layer that changed since they were last yielded, the coarsest first.

        The density is that of the same moment, so that a mean is one whenever the tile is taken.
        """
        self._density.refresh()
        for tile in self._pyramids[self.names.index(name)].changed():
            means = self.mean(name, tile.level, tile.row, tile.column)
            yield Tile(tile.level, tile.row, tile.column, tile.origin_nm, tile.pixel_nm, means, name)


def _quantity(name: str, table: Localizations) -> NDArray[np.generic]:
    """Return what the rows carry for a layer, (n,)."""
    values = table[LAYERS[name]]
    if name in CHANNEL_LAYERS:
        return np.asarray(np.asarray(values) == CHANNEL_LAYERS.index(name))
    return (np.asarray(values) & OUTSIDE) > 0 if name == HIDING else values


def channel_layer(channel: int) -> str:
    """Return the layer of a channel's share."""
    return CHANNEL_LAYERS[channel]


def _means(sums: Float32Array, density: Float32Array) -> Float32Array:
    """Return sums over the density of the same pixels, which has twice the resolution; 0 where nothing is."""
    mass = halved(density)
    means: Float32Array = np.divide(sums, mass, out=np.zeros_like(sums), where=mass > LEAST)
    return means


def halved(density: Float32Array) -> Float32Array:
    """Return the sums over 2 x 2 pixels, (y / 2, x / 2)."""
    pairs = density[0::2] + density[1::2]
    sums: Float32Array = pairs[:, 0::2] + pairs[:, 1::2]
    return sums
