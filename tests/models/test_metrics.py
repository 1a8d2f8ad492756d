"""Metrics: closed forms on small lists, and laws."""

from dataclasses import asdict
from math import hypot, isnan, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.localizations import Localizations, empty
from models.metrics import Rules, efficiency, score


def table(x, y=None, frame=None, **others):
    y = np.zeros(len(x)) if y is None else y
    frame = np.zeros(len(x)) if frame is None else frame
    columns = {"frame": frame, "x_nm": x, "y_nm": y, **others}
    return Localizations({name: np.asarray(values) for name, values in columns.items()})


def cloud(seed, number=200, **others):
    random = np.random.default_rng(seed)
    x, y = random.uniform(0, 5000, (2, number))
    return table(x, y, random.integers(0, 5, number), **others)


def test_a_list_against_itself_is_perfect():
    reference = cloud(1, z_nm=np.arange(200.0))
    result = score(reference, reference, Rules())
    assert (result.jaccard, result.precision, result.recall) == (1, 1, 1)
    assert (result.rmse_lateral_nm, result.rmse_axial_nm, result.median_lateral_nm) == (0, 0, 0)
    assert (result.efficiency_lateral, result.efficiency_axial) == (100, 100)


def test_closed_form():
    reference = table([0, 1000, 2000, 3000], z_nm=[0, 0, 0, 0])
    test = table([3, 1000, 9000], [4, 20, 0], z_nm=[6, -8, 0])
    result = score(reference, test, Rules())
    assert (result.references, result.tests, result.matched) == (4, 3, 2)
    assert result.jaccard == 2 / 5
    assert (result.precision, result.recall) == (2 / 3, 2 / 4)
    assert result.rmse_lateral_nm == pytest.approx(sqrt((5**2 + 20**2) / 2))
    assert (result.rmse_x_nm, result.rmse_y_nm) == pytest.approx((sqrt(9 / 2), sqrt((16 + 400) / 2)))
    assert result.rmse_axial_nm == pytest.approx(sqrt((36 + 64) / 2))
    assert result.median_lateral_nm == pytest.approx(12.5)
    assert (result.bias_x_nm, result.bias_y_nm) == pytest.approx((1.5, 12))


def test_efficiency_is_the_challenges():
    assert efficiency(0.7, 40, 1.0) == pytest.approx(100 - hypot(30, 40))
    assert efficiency(0.7, 80, 0.5) == pytest.approx(100 - hypot(30, 40))


@given(st.integers(0, 1000))
def test_order_of_rows_does_not_matter(seed):
    reference, test = cloud(1), cloud(2)
    order = np.random.default_rng(seed).permutation(200)
    shuffled = score(reference.where(order), test.where(order[::-1]), Rules(isolated_nm=300))
    for name, value in asdict(score(reference, test, Rules(isolated_nm=300))).items():
        assert getattr(shuffled, name) == pytest.approx(value, nan_ok=True, rel=1e-9, abs=1e-6), name


def test_swapping_the_lists_swaps_precision_and_recall():
    reference, test = cloud(1), cloud(2, number=150)
    forth, back = score(reference, test, Rules()), score(test, reference, Rules())
    assert (forth.precision, forth.recall) == (back.recall, back.precision)
    assert (forth.jaccard, forth.rmse_lateral_nm) == pytest.approx((back.jaccard, back.rmse_lateral_nm))
    assert (forth.bias_x_nm, forth.bias_y_nm) == pytest.approx((-back.bias_x_nm, -back.bias_y_nm))


@pytest.mark.parametrize(("reference", "test"), [(empty(), empty()), (table([0]), empty()), (empty(), table([0]))])
def test_nothing_to_match_is_not_a_number_but_for_the_counts(reference, test):
    result = score(reference, test, Rules(isolated_nm=100))
    assert result.matched == 0
    assert isnan(result.rmse_lateral_nm)
    assert isnan(result.efficiency_lateral)
    assert isnan(result.jaccard) == (len(reference) + len(test) == 0)


def test_a_dim_emitter_is_left_out_with_its_localization():
    reference, test = table([0, 1000, 2000], photons=[500, 99, 100]), table([0, 1000, 9000])
    result = score(reference, test, Rules(min_photons=100))
    assert (result.references, result.tests, result.matched) == (2, 2, 1)


def test_the_border_is_left_out_but_not_a_pair_across_it():
    rules = Rules(border_nm=450, field_nm=(10_000, 5_000))
    reference = table([100, 455, 5000, 445], [2000, 2000, 4900, 3000])
    test = table([110, 445, 5000, 455, 9990], [2000, 2000, 4900, 3000, 2500])
    result = score(reference, test, rules)
    assert (result.references, result.tests, result.matched) == (1, 1, 1)


def test_isolated_pairs_have_an_error_of_their_own():
    result = score(table([0, 300, 5000]), table([50, 350, 5003]), Rules(isolated_nm=1000))
    assert result.isolated == 1
    assert result.rmse_isolated_nm == pytest.approx(3)
    assert isnan(score(table([0]), table([0]), Rules()).rmse_isolated_nm)


def test_tolerance_is_the_largest_distance_of_a_pair():
    assert score(table([0]), table([250]), Rules()).matched == 1
    assert score(table([0]), table([250]), Rules(tolerance_nm=249)).matched == 0
