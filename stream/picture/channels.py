"""The picture by colour of the molecules: a plane for each channel, which together are the density.

Decision: a plane is the density times the share of a channel, which is known at half the resolution
(`stream/picture/layers.py`). Context: the page colours the same way, and a full picture for each colour would take four
times the memory. Consequence: where two colours meet within two pixels, both are there in proportion.
"""

from __future__ import annotations

import numpy as np

from stream.picture.layers import Layers, channel_layer
from stream.picture.tiles import Float32Array, Pyramid

REST = "not told"
"""The last plane: localizations whose colour nobody knows."""


class ChannelPlanes:
    """The density of each channel.

    Parameters
    ----------
    density : Pyramid
        The picture.
    layers : Layers
        With a layer for each channel.
    channels : sequence of str
        What they are called.

    Attributes
    ----------
    names : tuple of str
        Of the planes: the channels and `REST`.
    """

    def __init__(self, density: Pyramid, layers: Layers, channels: tuple[str, ...]) -> None:
        self._density, self._layers, self.names = density, layers, (*channels, REST)

    def refresh(self) -> None:
        """Bring all levels up to date."""
        self._density.refresh()
        self._layers.refresh()

    def tile(self, plane: int, level: int, row: int, column: int) -> Float32Array:
        """Return localizations per pixel of a plane in a tile of the picture, (y, x) float32."""
        density = self._density.levels[level].values[row, column]
        if plane == len(self.names) - 1:
            told = [self.tile(k, level, row, column) for k in range(plane)]
            rest: Float32Array = np.maximum(density - np.sum(told, axis=0), 0)
            return rest
        share = np.clip(self._layers.mean(channel_layer(plane), level, row, column), 0, 1)
        part: Float32Array = density * share.repeat(2, axis=0).repeat(2, axis=1)
        return part

    def image(self, plane: int, level: int) -> Float32Array:
        """Return the field of a plane at a resolution of the picture, (y, x) float32 localizations per pixel."""
        of = self._density.levels[level]
        rows, columns, _, _ = of.values.shape
        whole: Float32Array = np.block(
            [[self.tile(plane, level, row, column) for column in range(columns)] for row in range(rows)]
        )
        return whole[: of.height_px, : of.width_px]
