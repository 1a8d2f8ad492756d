"""Differences are counted as a double loop would, and the maximum is where the points were moved."""

import numpy as np
import pytest

from stream.drift import intersections
from stream.drift.intersections import CELLS, binned, differences, too_many
from stream.drift.peak import peak


def points(count: int, seed: int, size_nm: float = 3000.0) -> np.ndarray:
    return np.random.default_rng(seed).uniform((0, 0, -300), (size_nm, size_nm, 300), (count, 3)).astype(np.float32)


@pytest.mark.parametrize("own", [range(0), range(2, 4)])
def test_the_histogram_is_that_of_all_pairs(own):
    one, other = points(300, 1), points(400, 2)
    block = (np.arange(400) % 5).astype(np.int32)
    found = differences(one, binned(other, block, 200.0), (200.0, 200.0), own)
    apart = one[:, None] - other[~np.isin(block, own)]
    edges = [np.linspace(-200, 200, n + 1) for n in CELLS]
    expected, _ = np.histogramdd(apart.reshape(-1, 3)[:, ::-1], edges)
    assert found.sum() == expected.sum() > 500
    assert np.abs(found - expected).sum() < 0.01 * expected.sum()  # rounding of float32 at the edges of cells


@pytest.mark.parametrize("deep", [True, False])
def test_moved_points_meet_where_they_were_moved(deep):
    reference = points(2000, 3) * np.float32((1, 1, deep))
    blurred = np.random.default_rng(0).normal(0, 1, (667, 3)) * (10, 10, 25 * deep)
    moved = (reference[::3] + blurred + (37.3, -81.2, 22.1 * deep)).astype(np.float32)
    reach = 200.0, 200.0 * deep
    counts = differences(moved, binned(reference, np.zeros(2000, np.int32), 200.0), reach)
    found = peak(counts, reach, (14.0, 35.0))
    np.testing.assert_allclose(found.shift_nm, (37.3, -81.2, 22.1 * deep), atol=3)
    assert found.is_clear


def test_what_peaks_at_the_edge_is_not_inside():
    reference = points(2000, 4)
    counts = differences(
        reference + np.float32((190, 0, 0)), binned(reference, np.zeros(2000, np.int32), 200.0), (200.0, 200.0)
    )
    assert not peak(counts, (200.0, 200.0), (14.0, 35.0)).inside


def test_nothing_in_common_has_no_peak():
    one, other = points(10, 5), points(10, 6) + np.float32((1e5, 0, 0))
    counts = differences(one, binned(other, np.zeros(10, np.int32), 200.0), (200.0, 200.0))
    found = peak(counts, (200.0, 200.0), (14.0, 35.0))
    assert (found.height, found.is_clear) == (0, False)


def test_points_far_apart_need_no_more_squares_than_fit():
    far = np.float32([(0, 0, 0), (1e9, 1e9, 0)])
    bins = binned(far, np.zeros(2, np.int32), 200.0)
    assert len(bins.start) <= (intersections.MOST_SQUARES + 2) ** 2
    assert too_many(far, bins) == 1
