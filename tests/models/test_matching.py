"""The assignment against brute force over all ways to pair, and its laws."""

from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.localizations import Localizations, concatenate
from models.matching import isolated, match

TOLERANCE_NM, AXIAL_NM = 250.0, 500.0
POSITION = st.integers(0, 6).map(lambda step: 100.0 * step)  # coarse: many ties, many pairs exactly at a tolerance
EMITTERS = st.lists(st.tuples(st.integers(0, 1), POSITION, POSITION, POSITION.map(lambda z: 3 * z)), max_size=5)


def table(rows, with_z=False):
    columns = np.array(rows, float).reshape(-1, 4).T
    names = ("frame", "x_nm", "y_nm", "z_nm") if with_z else ("frame", "x_nm", "y_nm")
    return Localizations(dict(zip(names, columns, strict=False)))


def cost(a, b, with_z):
    """Return the distance of two emitters; None if they cannot be a pair."""
    lateral, axial = np.hypot(a[1] - b[1], a[2] - b[2]), abs(a[3] - b[3]) if with_z else 0.0
    return np.hypot(lateral, axial) if a[0] == b[0] and lateral <= TOLERANCE_NM and axial <= AXIAL_NM else None


def best_by_brute_force(reference, test, with_z):
    """Return the largest number of pairs and their least total distance."""
    for count in range(min(len(reference), len(test)), 0, -1):
        totals = [
            sum(costs)
            for rows in combinations(reference, count)
            for columns in permutations(test, count)
            if None not in (costs := [cost(a, b, with_z) for a, b in zip(rows, columns, strict=True)])
        ]
        if totals:
            return count, min(totals)
    return 0, 0.0


@pytest.mark.parametrize("with_z", [False, True])
@given(reference=EMITTERS, test=EMITTERS)
def test_most_pairs_then_least_distance(with_z, reference, test):
    rows, columns = match(table(reference, with_z), table(test, with_z), TOLERANCE_NM, AXIAL_NM)
    assert len(set(rows)) == len(rows) == len(set(columns)) == len(columns)
    costs = [cost(reference[row], test[column], with_z) for row, column in zip(rows, columns, strict=True)]
    assert None not in costs
    count, total = best_by_brute_force(reference, test, with_z)
    assert len(rows) == count
    assert sum(costs) == pytest.approx(total)


def test_prefers_two_pairs_to_the_closest_one():
    reference, test = table([(0, 0, 0, 0), (0, 200, 0, 0)]), table([(0, 190, 0, 0), (0, 400, 0, 0)])
    rows, columns = match(reference, test, TOLERANCE_NM, AXIAL_NM)
    assert sorted(zip(rows, columns, strict=True)) == [(0, 0), (1, 1)]


def test_z_counts_only_where_both_have_it():
    near, far = [(0, 0, 0, 0)], [(0, 0, 0, 501)]
    assert len(match(table(near, with_z=True), table(far, with_z=True), TOLERANCE_NM, AXIAL_NM)[0]) == 0
    assert len(match(table(near, with_z=True), table(far), TOLERANCE_NM, AXIAL_NM)[0]) == 1


def test_many_frames_are_matched_as_each_alone():
    random = np.random.default_rng(1)
    frames = [
        [
            Localizations({"frame": np.full(30, frame), "x_nm": x, "y_nm": y})
            for x, y in random.uniform(0, 3000, (2, 2, 30))
        ]
        for frame in range(20)
    ]
    together = match(*(concatenate(tables) for tables in zip(*frames, strict=True)), TOLERANCE_NM, AXIAL_NM)
    alone = [
        (30 * n + row, 30 * n + column)
        for n, pair in enumerate(frames)
        for row, column in zip(*match(*pair, 250, 500), strict=True)
    ]
    assert sorted(zip(*together, strict=True)) == sorted(alone)


def test_isolated_looks_at_the_same_frame_only():
    rows = [(0, 0, 0, 0), (0, 90, 0, 0), (0, 1000, 0, 0), (1, 0, 0, 0)]
    assert isolated(table(rows), 100).tolist() == [False, False, True, True]
    assert isolated(table(rows), 80).tolist() == [True] * 4
    assert isolated(table([]), 100).tolist() == []
