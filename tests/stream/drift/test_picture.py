"""The picture ends as if it had been drawn with the measured drift from the start, and keeps little."""

import numpy as np
import pytest

from stream.drift import picture
from stream.drift.curve import Curve
from stream.drift.picture import MovingPicture
from stream.picture.render import Renderer, RenderSettings
from tests.stream.drift.samples import linear, table, with_jump

SIDE_NM, FRAMES = 6000.0, 1000


def renderer() -> Renderer:
    return Renderer(SIDE_NM, SIDE_NM, RenderSettings(pixel_nm=20, tile_px=64))


def drawn(drift: np.ndarray) -> tuple[Renderer, Renderer, MovingPicture]:
    """What was drawn live, and what should have been."""
    rows = table(drift, per_frame=5, side_nm=SIDE_NM)
    live, curve = renderer(), Curve()
    moving = MovingPicture(live)
    frame = np.asarray(rows["frame"])
    for first in range(0, FRAMES, 25):
        moving.draw(rows.where((frame >= first) & (frame < first + 25)), curve)
        if first % 100 == 75:
            curve.add(first - 25, drift[first - 25])
            moving.follow(curve)
            list(live.changed())
    straight = renderer()
    straight.add(curve.corrected(rows))
    return live, straight, moving


@pytest.mark.parametrize("drift", [linear(FRAMES), with_jump(linear(FRAMES), 500)])
def test_it_becomes_the_picture_of_the_corrected_table(drift):
    live, straight, _ = drawn(drift)
    difference = np.abs(live.image() - straight.image()).sum() / straight.image().sum()
    assert difference < 0.05  # what is less than a nanometre out of place stays
    assert live.drawn + live.left_out == straight.drawn + straight.left_out
    assert live.image(1).sum() == pytest.approx(live.drawn, rel=1e-4)
    assert live.image().min() >= 0
    assert ((live.image() > 0) & (straight.image() == 0)).mean() < 0.01


def test_what_lies_before_the_last_knot_is_not_kept(monkeypatch):
    _, _, moving = drawn(linear(FRAMES))
    kept = np.concatenate([rows["frame"] for rows, _ in moving._kept])
    assert kept.min() > 950
    monkeypatch.setattr(picture, "KEPT_ROWS", 500)
    rows = table(np.zeros((2000, 3)), per_frame=5, side_nm=SIDE_NM)
    for first in range(0, len(rows) - 100, 100):
        moving.draw(rows.where(slice(first, first + 100)), Curve())
    assert sum(len(part) for part, _ in moving._kept) <= 500


def test_a_sample_that_stays_is_drawn_once(monkeypatch):
    live, curve = renderer(), Curve()
    moving = MovingPicture(live)
    moving.draw(table(np.zeros((100, 3)), side_nm=SIDE_NM), curve)
    curve.add(50, np.zeros(3))
    monkeypatch.setattr(live, "add", None)
    moving.follow(curve)


def test_clearing_makes_every_level_empty_and_tells_the_tiles():
    live, _, _ = drawn(linear(FRAMES))
    before = {(tile.level, tile.row, tile.column) for tile in live.changed()}
    full = {
        (k, r, c)
        for k, level in enumerate(live.pyramid.levels)
        for r, c in np.argwhere(level.values.any((2, 3))).tolist()
    }
    live.clear()
    assert full >= before
    told = {(tile.level, tile.row, tile.column): tile.values for tile in live.changed()}
    assert set(told) >= full
    assert not any(values.any() for values in told.values())
    assert (live.drawn, live.image(0).any(), live.image(2).any()) == (0, False, False)
