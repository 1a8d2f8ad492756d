"""A picture in memory that the process which draws it and the run share: one draws, the other publishes.

Decision: no lock. Context: a tile that is published while it is added to shows a part of the newest frames. It is
marked again once they are all in. Consequence: what is published last is whole.
"""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import NDArray

from stream.acquisition.ring_memory import SharedBlock, attach_block, create_block
from stream.engines.tiles import Part
from stream.errors import RigError, StorageFault
from stream.images.blocks import TILE_PX
from stream.picture.tiles import Float32Array, Marks, cut


class SharedPicture:
    """The tiles of the finest level.

    Parameters
    ----------
    block : SharedBlock
    height_px, width_px : int
        Of the picture.
    owner : bool
        Whether `close` takes the memory away.

    Attributes
    ----------
    tiles : (row, column, y, x) float32
        What is drawn.
    """

    def __init__(self, block: SharedBlock, height_px: int, width_px: int, owner: bool) -> None:
        assert block.buf is not None
        self.name, self._block, self._owner = block.name, block, owner
        shape = _shape(height_px, width_px)
        self.tiles: Float32Array = np.frombuffer(block.buf, np.float32, prod(shape)).reshape(shape)

    @classmethod
    def create(cls, height_px: int, width_px: int, section: str = "image") -> SharedPicture:
        """Create an empty picture, of a section of the rig. Raises RigError if there is no memory for it."""
        size = 4 * prod(_shape(height_px, width_px))
        try:
            return cls(create_block(size), height_px, width_px, owner=True)
        except (StorageFault, OSError) as error:
            raise RigError(
                f"the picture of [{section}], {width_px} x {height_px} pixels, cannot be held",
                limit=f"it needs {size / 1e6:.0f} MB of shared memory",
                remedy=f"crop the camera's field, give /dev/shm more room, or leave out [{section}] model",
            ) from error

    @classmethod
    def attach(cls, name: str, height_px: int, width_px: int) -> SharedPicture:
        """Attach to the picture called `name`. Raises FileNotFoundError if there is none."""
        return cls(attach_block(name), height_px, width_px, owner=False)

    def add(self, part: Part, image: Float32Array, upsampling: int) -> Marks:
        """Add the image of a block; return the tiles, (row, column), that changed.

        Parameters
        ----------
        part : Part
            Its camera pixels; its corner is that of a tile.
        image : (y, x) float32
        upsampling : int
            Pixels of the image along a camera pixel.
        """
        first = upsampling * part.y // TILE_PX, upsampling * part.x // TILE_PX
        tiles = cut(image, TILE_PX)
        here = np.s_[first[0] : first[0] + tiles.shape[0], first[1] : first[1] + tiles.shape[1]]
        changed = np.zeros(self.tiles.shape[:2], bool)
        changed[here] = tiles.any(axis=(2, 3))
        self.tiles[here] += tiles
        return changed

    def put(self, image: Float32Array) -> Marks:
        """Let the picture be an image (y, x); return the tiles, (row, column), that changed."""
        tiles = cut(image, TILE_PX)
        changed: Marks = (tiles != self.tiles).any(axis=(2, 3))
        self.tiles[changed] = tiles[changed]
        return changed

    def close(self) -> None:
        """Let go of the memory; its creator takes it away. May be called more than once."""
        if "tiles" in self.__dict__:
            del self.tiles
            self._block.close()
            if self._owner:
                self._block.unlink()


def _shape(height_px: int, width_px: int) -> tuple[int, int, int, int]:
    return -(-height_px // TILE_PX), -(-width_px // TILE_PX), TILE_PX, TILE_PX


def no_tiles(height_px: int, width_px: int) -> NDArray[np.bool_]:
    """Return marks (row, column) of a picture of which nothing has changed."""
    return np.zeros(_shape(height_px, width_px)[:2], bool)
