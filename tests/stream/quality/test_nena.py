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


def test_it_does_not_matter_how_tables_are_cut() -> None:
    frame, place = blinking(np.random.default_rng(0), 6400, 2000, 200, 2, 3, 10)
    whole, parts = distances(frame, place), NearestDistances(100.0)
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
