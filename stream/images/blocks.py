"""Frames of any size -> their image, block by block: each is computed with all that its pixels depend on.

What a block says is what the network would say of the whole frame, so that no seam shows; memory is that of a block.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from export.card import Card
from stream.engine import Arrays, Run
from stream.engines.tiles import Part
from stream.frame import UInt16Array
from stream.picture.tiles import Float32Array

TILE_PX = 256
"""Side of a tile of the picture, in its own pixels."""
REACHES = 12
"""Side of a block, at least so many times as far as the network sees: then a third is computed twice, at most."""
LEAST_PX = 64
AT_ONCE = 1 << 20
"""Super-resolved pixels that are computed at once; of a block in so many frames."""
PLANES = ("offset", "gain", "variance")


class Blocks:
    """Computes the image of frames of one shape.

    Parameters
    ----------
    run : callable
        `Engine.run`, of a model that draws images.
    card : Card
        Of that model.
    maps : dict
        Its inputs but `frames`: (y, x) maps, and scalars.
    """

    def __init__(self, run: Run, card: Card, maps: Arrays) -> None:
        self._run, self._card, self._maps = run, card, maps
        height, width = maps["offset"].shape
        side = block_px(card)
        self.parts = [
            Part(y, min(y + side, height), x, min(x + side, width))
            for y in range(0, height, side)
            for x in range(0, width, side)
        ]

    def images(self, frames: UInt16Array) -> Iterator[tuple[Part, Float32Array]]:
        """Yield each block, in camera pixels, with the sum of its images over the frames (t, y, x)."""
        for part in self.parts:
            yield part, self._image(frames, part)

    def whole(self, frames: UInt16Array) -> Float32Array:
        """Return the sum of the images of frames (t, y, x), in one piece."""
        times = self._card.upsampling
        height, width = frames.shape[1:]
        whole = np.empty((times * height, times * width), np.float32)
        for part, image in self.images(frames):
            whole[times * part.y : times * part.y_end, times * part.x : times * part.x_end] = image
        return whole

    def _image(self, frames: UInt16Array, core: Part) -> Float32Array:
        around = core.grown(self._card.reach_px, self._card.multiple_px, frames.shape[1:])
        cut = np.s_[around.y : around.y_end, around.x : around.x_end]
        inputs = {**self._maps, **{name: np.ascontiguousarray(self._maps[name][cut]) for name in PLANES}}
        times, few = self._card.upsampling, max(1, AT_ONCE // (self._card.upsampling**2 * around.area_px))
        rows, columns = (
            slice(times * (first - before), times * (last - before))
            for first, last, before in ((core.y, core.y_end, around.y), (core.x, core.x_end, around.x))
        )
        image = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.float32)
        for first in range(0, len(frames), few):
            some = np.ascontiguousarray(frames[(slice(first, first + few), *cut)])
            image += np.asarray(self._run({**inputs, "frames": some})["image"], np.float32)[rows, columns]
        return image


def block_px(card: Card) -> int:
    """Return the side of a block in camera pixels: whole tiles of the picture, and multiples that the network takes."""
    step = int(np.lcm(TILE_PX // card.upsampling, card.multiple_px))
    return -(-max(LEAST_PX, REACHES * card.reach_px) // step) * step
