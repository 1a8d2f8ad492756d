"""An image that is put together from blocks is the image of the whole frame: no seam shows, whatever the size."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.camera import Camera
from stream.config import EngineSettings
from stream.engines import open_engine
from stream.engines.tiles import Part
from stream.images.blocks import TILE_PX, Blocks, block_px
from stream.images.shared import SharedPicture
from stream.picture.tiles import Pyramid
from stream.stages.localize import maps_of


def frames_of(shape: tuple[int, int, int]) -> np.ndarray:
    return np.random.default_rng(5).poisson(30, shape).astype("u2") + 100


@pytest.fixture(params=[(2, 150, 131), (3, 64, 200), (1, 20, 9)], ids=str)
def frames(request: pytest.FixtureRequest) -> np.ndarray:
    return frames_of(request.param)


def small_blocks(blocks: Blocks, side_px: int) -> None:
    """Let blocks be so small that the frame has many of them."""
    height, width = blocks._maps["offset"].shape
    cuts = [range(0, side, side_px) for side in (height, width)]
    blocks.parts = [Part(y, min(y + side_px, height), x, min(x + side_px, width)) for y in cuts[0] for x in cuts[1]]


def test_no_seam_shows_between_blocks(model: Path, frames: np.ndarray) -> None:
    with closing(open_engine(model, EngineSettings(threads=1))) as engine:
        maps = maps_of(Camera(), frames.shape[1:])
        whole = engine.run({**maps, "frames": frames})["image"]
        blocks = Blocks(engine.run, engine.card, maps)
        small_blocks(blocks, 32)
        found = blocks.whole(frames)
        assert len(blocks.parts) == np.prod([-(-side // 32) for side in frames.shape[1:]])
        np.testing.assert_allclose(found, whole, atol=1e-6 * whole.max())
        blind = Blocks(engine.run, replace(engine.card, reach_px=0), maps)
        small_blocks(blind, 32)
        assert len(blind.parts) == 1 or np.abs(blind.whole(frames) - whole).max() > 1e-3 * whole.max()


def test_blocks_are_tiles_of_the_picture(model: Path) -> None:
    with closing(open_engine(model, EngineSettings(threads=1))) as engine:
        side = block_px(engine.card)
        assert side * engine.card.upsampling % TILE_PX == 0
        assert side % engine.card.multiple_px == 0
        assert side >= 8 * engine.card.reach_px


def test_what_is_added_in_blocks_is_the_picture(model: Path) -> None:
    frames = frames_of((2, 70, 100))
    with closing(open_engine(model, EngineSettings(threads=1))) as engine:
        maps, times = maps_of(Camera(), frames.shape[1:]), engine.card.upsampling
        blocks = Blocks(engine.run, engine.card, maps)
        small_blocks(blocks, 32)
        height, width = (times * side for side in frames.shape[1:])
        with closing(SharedPicture.create(height, width)) as mine:
            with closing(SharedPicture.attach(mine.name, height, width)) as theirs:
                changed = [theirs.add(part, image, times) for part, image in blocks.images(frames)]
            pyramid = Pyramid(height, width, 12.5, TILE_PX, mine.tiles)
            np.testing.assert_array_equal(pyramid.levels[0].image(), blocks.whole(frames))
            assert np.any(changed, axis=0).all()
            assert all(marks.sum() == 1 for marks in changed)


def test_an_empty_image_changes_no_tile() -> None:
    with closing(SharedPicture.create(600, 300)) as picture:
        assert not picture.add(Part(32, 64, 0, 32), np.zeros((256, 256), np.float32), 8).any()
