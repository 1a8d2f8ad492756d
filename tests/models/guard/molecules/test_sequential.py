"""The sums: quiet on matched molecules of any sample, quick on what was simulated, and over it when it is over."""

import numpy as np
import pytest

from models.guard.molecules.diagnosis import diagnose
from models.guard.molecules.reference import Reference
from models.guard.molecules.sequential import WORST, SumRules, Sums, squared_distance, sum_rules

MEASURES = 6


@pytest.fixture
def known() -> Reference:
    eye = np.eye(MEASURES)
    nothing = np.zeros(MEASURES)
    return Reference(
        tuple("abcdef"),
        np.zeros(5),
        np.ones(5),
        np.zeros((36, MEASURES)),
        np.zeros((36, MEASURES)),
        nothing,
        eye,
        0.002 * eye,
    )


@pytest.fixture
def shifts() -> np.ndarray:
    return np.array([[0.5, 0.2, 0, 0, 0, 0], [0, 0, 0.4, -0.3, 0, 0], [0, 0, 0, 0, -0.4, 0.4]])


@pytest.fixture
def rules(known: Reference, shifts: np.ndarray) -> SumRules:
    return sum_rules(known, shifts, (MEASURES, np.sqrt(2 * MEASURES)), 0.05)


def test_fifty_thousand_matched_molecules_raise_nothing(known: Reference, rules: SumRules) -> None:
    rng, sums = np.random.default_rng(1), Sums(known, rules)
    for _ in range(50):
        sample = rng.normal(0, np.sqrt(0.002), MEASURES)
        sums.take(rng.normal(0, 1, (1000, MEASURES)) + sample)
        assert not sums.raised.any()
    assert sums.molecules == 50_000


@pytest.mark.parametrize("which", range(3))
def test_what_was_simulated_is_found_and_named_within_some_hundred_molecules(
    known: Reference, shifts: np.ndarray, rules: SumRules, which: int
) -> None:
    rng, sums = np.random.default_rng(2), Sums(known, rules)
    sums.take(rng.normal(0, 1, (2000, MEASURES)))
    sums.take(rng.normal(0, 1, (400, MEASURES)) + shifts[which])
    assert sums.raised[which]
    found = diagnose(known, shifts, *sums.mean(sums.strongest))
    assert found.which == which
    assert found.amount == pytest.approx(1, abs=0.3)


def test_an_alarm_ends_when_its_cause_is_gone(known: Reference, shifts: np.ndarray, rules: SumRules) -> None:
    rng, sums = np.random.default_rng(3), Sums(known, rules)
    sums.take(rng.normal(0, 1, (1500, MEASURES)) + shifts[0])
    assert sums.raised[0]
    sums.take(rng.normal(0, 1, (1000, MEASURES)))
    assert not sums.raised.any()


def test_what_none_has_simulated_is_seen_but_not_given_a_name(
    known: Reference, shifts: np.ndarray, rules: SumRules
) -> None:
    rng, sums = np.random.default_rng(4), Sums(known, rules)
    sums.take(rng.normal(0, 2.5, (300, MEASURES)))
    assert sums.raised[-1]
    odd = np.array([-0.5, 1.2, 0, 0, 0, 0])
    assert diagnose(known, shifts, odd, 300).which == -1


def test_the_threshold_is_that_of_one_false_alarm_in_ten_million(known: Reference, shifts: np.ndarray) -> None:
    """Lundberg: a sum of normal amounts with mean -k and variance v passes H with probability exp(-2 k H / v)."""
    exact = sum_rules(known, 4 * shifts, (MEASURES, 3.0), 0.0)
    variance = np.einsum("sm,sm->s", exact.weights, exact.weights)
    sample = np.sqrt(0.002 * variance)
    chance = np.exp(-2 * (exact.allowance[:-1] - WORST * sample) * exact.threshold[:-1] / variance)
    assert chance * 4 * 1e7 == pytest.approx(1)


def test_squared_distances_of_normal_numbers_have_the_mean_of_a_chi_square() -> None:
    rng = np.random.default_rng(5)
    spread = np.cov(rng.normal(0, 1, (4, 50)))
    many = rng.multivariate_normal(np.zeros(4), spread, 20_000)
    assert squared_distance(many, spread).mean() == pytest.approx(4, rel=0.03)
