"""The precision that molecules were simulated with is found, and none where molecules are seen once."""

from itertools import pairwise

import numpy as np
import pytest

from stream.quality.nena import MOST_ROWS, NearestDistances
from tests.stream.quality.samples import blinking


def distances(frame: np.ndarray, place: np.ndarray) -> NearestDistances:
    found = NearestDistances(100.0)
    found.add(frame, place[:, 0], place[:, 1])
    return found


@pytest.mark.parametrize("sigma_nm", [4, 8, 15, 25])
@pytest.mark.parametrize("blinks", [0.5, 5])
def test_the_precision_is_found_within_five_percent(sigma_nm: float, blinks: float) -> None:
    rng = np.random.default_rng(int(sigma_nm + 10 * blinks))
    frame, place = blinking(rng, 12800, 10_000, 600, blinks, 3, sigma_nm)
    assert distances(frame, place).precision_nm() == pytest.approx(sigma_nm, rel=0.05)


def seen_in_three_frames(rng: np.random.Generator, sigma_nm: float) -> tuple[np.ndarray, np.ndarray]:
    """Molecules that are on for twelve frames, each localization wrong by the mean of the noise of three frames."""
    molecules, on = 5000, 12
    noise = rng.normal(0, sigma_nm * np.sqrt(3), (molecules, on + 2, 2))
    error = (noise[:, :-2] + noise[:, 1:-1] + noise[:, 2:]) / 3
    place = (rng.uniform(0, 12800, (molecules, 1, 2)) + error).reshape(-1, 2)
    frame = (rng.integers(0, 1000, (molecules, 1)) + np.arange(on)).ravel()
    order = np.argsort(frame, kind="stable")
    return frame[order], place[order].astype(np.float32)


def test_errors_that_neighbouring_frames_share_are_seen_three_frames_apart() -> None:
    frame, place = seen_in_three_frames(np.random.default_rng(0), 10)
    found = NearestDistances(100.0, apart_frames=3)
    found.add(frame, place[:, 0], place[:, 1])
    assert found.precision_nm() == pytest.approx(10, rel=0.05)
    # from frame to frame only two of three parts of the noise change
    assert distances(frame, place).precision_nm() == pytest.approx(10 / np.sqrt(3), rel=0.05)


@pytest.mark.parametrize("apart", [1, 3])
def test_it_does_not_matter_how_tables_are_cut(apart: int) -> None:
    frame, place = blinking(np.random.default_rng(0), 6400, 2000, 200, 2, 3, 10)
    whole, parts = NearestDistances(100.0, apart), NearestDistances(100.0, apart)
    whole.add(frame, place[:, 0], place[:, 1])
    cuts = [0, *np.searchsorted(frame, [1, 2, 17, 100, 101]), len(frame)]
    for a, b in pairwise(cuts):
        parts.add(frame[a:b], place[a:b, 0], place[a:b, 1])
    np.testing.assert_array_equal(parts.counts, whole.counts)


def test_of_very_many_rows_some_are_looked_at() -> None:
    frame, place = blinking(np.random.default_rng(0), 12800, 40_000, 600, 2, 3, 10)
    assert len(frame) > 4 * MOST_ROWS
    found = distances(frame, place)
    assert found.counts.sum() < MOST_ROWS
    assert found.precision_nm() == pytest.approx(10, rel=0.05)


def test_molecules_that_are_seen_once_have_none() -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        frame, place = np.sort(rng.integers(0, 600, 30_000)), rng.uniform(0, 6400, (30_000, 2)).astype(np.float32)
        assert distances(frame, place).precision_nm() is None


@pytest.mark.parametrize("frame", [[], [3], [5] * 4000, list(range(0, 8000, 2))])
def test_nothing_one_localization_one_frame_and_no_neighbouring_frames(frame: list[int]) -> None:
    place = np.random.default_rng(0).uniform(0, 6400, (len(frame), 2)).astype(np.float32)
    assert distances(np.array(frame, np.int64), place).precision_nm() is None


def test_positions_that_are_no_numbers_are_passed_over() -> None:
    frame, place = blinking(np.random.default_rng(0), 6400, 4000, 200, 2, 3, 10)
    place[::50] = np.nan
    assert distances(frame, place).precision_nm() == pytest.approx(10, rel=0.05)
