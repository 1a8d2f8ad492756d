"""Blocks are the same however the tables come, hold enough, and no more than is needed."""

import numpy as np
import pytest

from models.localizations import Localizations, concatenate, empty
from stream.drift import blocks
from stream.drift.blocks import Block, Cutter


def table(frame: np.ndarray, **more: np.ndarray) -> Localizations:
    return Localizations({"frame": frame, "x_nm": np.arange(len(frame)), "y_nm": frame, **more})


def cut(cutter: Cutter, whole: Localizations, ends: list[int]) -> list[Block]:
    found, first = [], int(whole["frame"][0])
    for end in ends:
        rows = (np.asarray(whole["frame"]) >= first) & (np.asarray(whole["frame"]) < end)
        found += cutter.add(whole.where(rows), first, end - 1)
        first = end
    rest = cutter.finish()
    return found + ([] if rest is None else [rest])


@pytest.mark.parametrize("seed", range(20))
def test_blocks_do_not_depend_on_how_the_tables_come(seed):
    rng = np.random.default_rng(seed)
    frame = np.sort(rng.integers(1000, 2000, 800))
    frame = frame[(frame < 1300) | (frame > 1420)]
    whole = table(frame)
    ends = [*np.unique(rng.integers(1001, 2000, rng.integers(1, 80))).tolist(), 2000]
    origin = int(frame[0])
    once, parts = (cut(Cutter(70, 40), whole, to) for to in ([2000], ends))
    assert [(b.number, b.points.tolist()) for b in once] == [(b.number, b.points.tolist()) for b in parts]
    assert all(len(block) >= 40 for block in once)
    for block in once:
        assert ((block.frame - origin) // 70).min() == block.number.start
        assert ((block.frame - origin) // 70).max() == block.number.stop - 1


def test_empty_blocks_give_nothing_and_a_thin_one_goes_on_into_the_next():
    cutter = Cutter(10, 5)
    assert list(cutter.add(empty(), 0, 999)) == []
    assert list(cutter.add(table(np.full(3, 1000)), 1000, 1009)) == []
    (block,) = cutter.add(table(np.full(3, 1015)), 1010, 1019)
    assert (len(block), block.number) == (6, range(100, 102))
    assert cutter.finish() is None


def test_what_is_not_a_number_is_left_out_and_uncertainties_are_medians():
    frame = np.zeros(4)
    whole = table(frame, z_nm=np.array([0, np.nan, 1, 2]), sigma_x_nm=np.array([8, 1, 10, 12.0]), sigma_z_nm=frame)
    (block,) = Cutter(1, 1).add(whole, 0, 0)
    assert block.points.tolist() == [[0, 0, 0], [2, 0, 1], [3, 0, 2]]
    assert block.sigma_nm == (10.0, blocks.FALLBACK_SIGMA_NM[1])


def test_a_crowded_block_is_thinned_evenly():
    frame = np.sort(np.random.default_rng(0).integers(0, 100, 3 * blocks.ROWS_AT_MOST))
    (block,) = Cutter(100, 1).add(concatenate([table(frame)]), 0, 99)
    assert blocks.ROWS_AT_MOST / 2 < len(block) <= blocks.ROWS_AT_MOST
    assert block.frame.mean() == pytest.approx(49.5, abs=0.5)
