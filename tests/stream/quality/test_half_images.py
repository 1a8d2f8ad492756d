"""Which half a localization goes to, which part of a large field is looked at, and that beads are no sample."""

import numpy as np
import pytest

from stream.quality import half_images
from stream.quality.half_images import HalfImages
from stream.quality.region import SIDE_PX
from stream.quality.settings import ResolutionSettings

SETTINGS = ResolutionSettings(block_frames=100, pixel_nm=5)
LARGE_NM = 30_000.0


def added(found: HalfImages, frame: np.ndarray, place_nm: np.ndarray) -> HalfImages:
    found.add(frame.astype(np.int64), *place_nm.astype(np.float32).T)
    return found


def anywhere(seed: int, rows: int, side_nm: float, frames: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return np.sort(rng.integers(0, frames, rows)), rng.uniform(0, side_nm, (rows, 2))


def test_blocks_take_turns_and_the_frames_between_go_to_neither() -> None:
    halves = []
    for frame in range(400):
        counts = added(HalfImages(1000, 1000, SETTINGS), np.array([frame]), np.array([[500, 500]])).halves().counts
        one, other = counts.sum(axis=(1, 2))
        halves.append(0 if one else 1 if other else None)
    assert halves[:50] == [0] * 50
    for start, half in ((50, 1), (150, 0), (250, 1)):
        assert halves[start : start + 5] == [None] * 5
        assert halves[start + 5 : start + 100] == [half] * 95


def test_a_blink_is_never_in_both_halves() -> None:
    for start in range(0, 300):
        blink = np.arange(start, start + 5)
        halves = added(HalfImages(1000, 1000, SETTINGS), blink, np.full((5, 2), 500)).halves()
        assert min(halves.rows) == 0
        assert halves.beads == 0


def test_a_steady_loss_takes_as_much_from_both() -> None:
    rng = np.random.default_rng(0)
    frame = np.repeat(np.arange(2000), rng.poisson(np.linspace(40, 0, 2000)))
    place = rng.uniform(0, 5000, (len(frame), 2))
    one, other = added(HalfImages(5000, 5000, SETTINGS), frame, place).halves().rows
    assert one == pytest.approx(other, rel=0.03)


def test_a_localization_lies_in_its_pixel() -> None:
    place = np.array([[12.5, 7.5], [0, 0], [999.9, 499.9], [1000, 5], [5, 500], [-0.1, 5], [np.nan, 5]])
    counts = added(HalfImages(500, 1000, SETTINGS), np.zeros(7), place).halves().counts
    assert counts.shape == (2, 100, 200)
    assert counts.sum() == 3
    assert counts[0, 1, 2] == counts[0, 0, 0] == counts[0, 99, 199] == 1


def test_of_a_large_field_the_densest_square_is_taken() -> None:
    found = HalfImages(LARGE_NM, LARGE_NM, SETTINGS)
    frame, place = anywhere(0, 4000, LARGE_NM, 1000)
    _, dense = anywhere(1, 4000, 6000, 1000)
    added(added(found, frame, place), frame, dense + np.array([20_000, 3000]))
    region = found.halves().region
    x, y, width, height = region.nm
    assert not region.whole
    assert max(width, height) <= SIDE_PX * 5
    assert x <= 20_200
    assert x + width >= 25_800
    assert y <= 3200
    assert y + height >= 8800
    assert sum(found.halves().rows) > 3600


def test_the_region_stands_once_so_many_have_come_and_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    frame, place = anywhere(0, 30_000, 9000, 1000)
    place += (2000, 15_000)
    parts = [(frame[k : k + 1000], place[k : k + 1000]) for k in range(0, 30_000, 1000)]
    once, settled = HalfImages(LARGE_NM, LARGE_NM, SETTINGS), HalfImages(LARGE_NM, LARGE_NM, SETTINGS)
    for part in parts:
        added(once, *part)
    monkeypatch.setattr(half_images, "SETTLE_ROWS", 10_000)
    for part in parts:
        added(settled, *part)
    assert once.kept_rows > 25_000
    assert settled.kept_rows == 0
    assert sum(settled.halves().rows) == pytest.approx(sum(once.halves().rows), rel=0.05)
    if once.halves().region == settled.halves().region:
        np.testing.assert_array_equal(once.halves().counts, settled.halves().counts)


@pytest.mark.parametrize("side_nm", [6400.0, LARGE_NM])
def test_a_bead_is_left_out_and_does_not_draw_the_region(side_nm: float) -> None:
    rng = np.random.default_rng(0)
    frame, place = anywhere(0, 5000, 6000, 1000)
    bead = np.column_stack((1000 + 0.2 * np.arange(1000), np.full(1000, 1010))) + rng.normal(0, 2, (1000, 2))
    every = np.concatenate((frame, np.arange(1000)))
    order = np.argsort(every, kind="stable")
    at = np.concatenate((place + (side_nm - 6400), bead))[order]
    halves = added(HalfImages(side_nm, side_nm, SETTINGS), every[order], at).halves()
    assert sum(halves.rows) == pytest.approx(4700, rel=0.05)
    assert halves.beads == (1 if side_nm == 6400 else 0)


def test_nothing_and_one() -> None:
    found = HalfImages(1000, 1000, SETTINGS)
    found.add(*(np.empty(0, kind) for kind in (np.int64, np.float32, np.float32)))
    assert found.halves() is None
    assert sum(added(HalfImages(LARGE_NM, LARGE_NM, SETTINGS), np.array([7]), np.array([[5, 5]])).halves().rows) <= 1
