"""What is published beside the density: the layers of the localizations, and pictures of their own, on demand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from stream.picture.layers import Layers
from stream.picture.tiles import Pyramid, Tile


class WithPictures:
    """Layers by name; satisfies `stream.sinks.zmq_out.LayerSource`.

    Parameters
    ----------
    layers : Layers
        Of the localizations.
    pictures : dict
        Name, of `stream.picture.layers.PICTURES` -> picture with pixels of its own.
    """

    def __init__(self, layers: Layers, pictures: Mapping[str, Pyramid]) -> None:
        self._layers, self._pictures = layers, pictures
        self.names = (*layers.names, *pictures)

    def ask_anew(self, name: str) -> None:
        """Let `changed` yield all tiles of a layer once more."""
        if name in self._pictures:
            self._pictures[name].change_all()
        else:
            self._layers.ask_anew(name)

    def changed(self, name: str) -> Iterator[Tile]:
        """Yield the tiles of a layer that changed since they were last yielded, the coarsest first."""
        if name not in self._pictures:
            return self._layers.changed(name)
        return (replace(tile, layer=name) for tile in self._pictures[name].changed())
