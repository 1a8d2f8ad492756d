"""What is published beside the density: the layers of the localizations, and the image layer, on demand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

from stream.picture.layers import IMAGE, Layers
from stream.picture.tiles import Pyramid, Tile


class Pictured(Protocol):
    """Whoever has an image layer."""

    pyramid: Pyramid

    def changed(self) -> Iterator[Tile]:
        """Yield the tiles that changed since they were last yielded, the coarsest first."""


def of_layer(tiles: Iterator[Tile]) -> Iterator[Tile]:
    """Yield tiles of a picture as those of the image layer."""
    for tile in tiles:
        yield replace(tile, layer=IMAGE)


class WithImage:
    """Layers by name; satisfies `stream.sinks.zmq_out.LayerSource`.

    Parameters
    ----------
    layers : Layers
        Of the localizations.
    image : Pictured
    """

    def __init__(self, layers: Layers, image: Pictured) -> None:
        self._layers, self._image = layers, image
        self.names = (*layers.names, IMAGE)

    def ask_anew(self, name: str) -> None:
        """Let `changed` yield all tiles of a layer once more."""
        if name == IMAGE:
            self._image.pyramid.change_all()
        else:
            self._layers.ask_anew(name)

    def changed(self, name: str) -> Iterator[Tile]:
        """Yield the tiles of a layer that changed since they were last yielded, the coarsest first."""
        return self._image.changed() if name == IMAGE else self._layers.changed(name)
