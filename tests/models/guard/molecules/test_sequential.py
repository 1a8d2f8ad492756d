"""The sums: quiet on matched molecules of any sample, quick on what was simulated, and over it when it is over."""

import numpy as np
import pytest

from models.guard.molecules.diagnosis import diagnose
from models.guard.molecules.reference import Reference
from models.guard.molecules.sequential import WORST, SumRules, Sums, sum_rules
from models.guard.molecules.unlikeness import unlike, unlikeness

MEASURES = 6


TERMS, NO_CONDITIONS = 36, 5
NAMES = "first", "second", "third"


def plain(names: str, between: float) -> Reference:
    """Measures that are normal numbers whatever the conditions."""
    count = len(names)
    nothing, eye = np.zeros((TERMS, count)), np.eye(count)
    return Reference(
        tuple(names), np.zeros(NO_CONDITIONS), np.ones(NO_CONDITIONS), nothing, nothing, np.zeros(count), eye,
        between * eye,
    )  # fmt: skip


@pytest.fixture
def known() -> Reference:
    return plain("abcdef", 0.002)


@pytest.fixture
def usual(known: Reference) -> Reference:
    drawn = np.random.default_rng(6).normal(0, 1, (20_000, MEASURES))
    return unlikeness(known, np.arange(20_000) // 20, drawn, conditions(20_000))


def conditions(count: int) -> np.ndarray:
    return np.zeros((count, NO_CONDITIONS))


def take(sums: Sums, deviations: np.ndarray) -> None:
    sums.take(deviations, conditions(len(deviations)))


@pytest.fixture
def shifts() -> np.ndarray:
    return np.array([[0.5, 0.2, 0, 0, 0, 0], [0, 0, 0.4, -0.3, 0, 0], [0, 0, 0, 0, -0.4, 0.4]])


@pytest.fixture
def rules(known: Reference, usual: Reference, shifts: np.ndarray) -> SumRules:
    return sum_rules(known, usual, shifts)


@pytest.fixture
def sums(known: Reference, usual: Reference, rules: SumRules) -> Sums:
    return Sums(known, usual, rules)


def test_fifty_thousand_matched_molecules_raise_nothing(sums: Sums) -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        sample = rng.normal(0, np.sqrt(0.002), MEASURES)
        take(sums, rng.normal(0, 1, (1000, MEASURES)) + sample)
        assert not sums.raised.any()
    assert sums.molecules == 50_000


@pytest.mark.parametrize("which", range(3))
def test_what_was_simulated_is_found_and_named_within_some_hundred_molecules(
    known: Reference, shifts: np.ndarray, sums: Sums, which: int
) -> None:
    rng = np.random.default_rng(2)
    take(sums, rng.normal(0, 1, (2000, MEASURES)))
    take(sums, rng.normal(0, 1, (400, MEASURES)) + shifts[which])
    assert sums.raised[which]
    found = diagnose(known, shifts, NAMES, *sums.mean(sums.strongest))
    assert found.which == which
    assert found.amount == pytest.approx(1, abs=0.3)


def test_an_alarm_ends_when_its_cause_is_gone(shifts: np.ndarray, sums: Sums) -> None:
    rng = np.random.default_rng(3)
    take(sums, rng.normal(0, 1, (1500, MEASURES)) + shifts[0])
    assert sums.raised[0]
    take(sums, rng.normal(0, 1, (1000, MEASURES)))
    assert not sums.raised.any()


def test_what_none_has_simulated_is_seen_but_not_given_a_name(known: Reference, shifts: np.ndarray, sums: Sums) -> None:
    rng = np.random.default_rng(4)
    take(sums, rng.normal(0, 2.5, (300, MEASURES)))
    assert sums.raised[-1]
    odd = np.array([-0.5, 1.2, 0, 0, 0, 0])
    assert diagnose(known, shifts, NAMES, odd, 300).which == -1


def test_a_cause_that_explains_less_is_named_if_no_other_one_explains_half_of_it(
    known: Reference, shifts: np.ndarray
) -> None:
    beside = np.array([-0.2, 0.5, 0, 0, 0, 0])  # what no cause explains, as large as the first one
    found = diagnose(known, shifts, NAMES, shifts[0] + beside, 300)
    assert (found.which, found.explained) == (0, pytest.approx(0.5, abs=0.02))
    two = shifts[0] + beside + 0.8 * shifts[1]
    assert diagnose(known, shifts, NAMES, two, 300).which == -1
    assert diagnose(known, shifts, ["one", "one", "other"], two, 300).which == 0


def test_the_threshold_is_that_of_one_false_alarm_in_ten_million(
    known: Reference, usual: Reference, shifts: np.ndarray
) -> None:
    """Lundberg: a sum of normal amounts with mean -k and variance v passes H with probability exp(-2 k H / v)."""
    exact = sum_rules(known, usual, shifts)
    variance = np.einsum("sm,sm->s", exact.weights, exact.weights)
    sample = np.sqrt(0.002 * variance)
    chance = np.exp(-2 * (exact.allowance[:-1] - WORST * sample) * exact.threshold[:-1] / variance)
    assert chance * 4 * 1e7 == pytest.approx(1)


def test_a_molecule_that_is_far_off_raises_nothing_however_often_it_is_seen_again(
    known: Reference, usual: Reference, shifts: np.ndarray
) -> None:
    plain_to_see = 10 * shifts
    sums = Sums(known, usual, sum_rules(known, usual, plain_to_see))
    take(sums, np.repeat(4 * plain_to_see[:1], 4, axis=0))
    assert not sums.raised.any()
    take(sums, np.repeat(plain_to_see[:1], 60, axis=0))
    assert sums.raised[0]


def test_unlikeness_has_no_long_tail_and_knows_how_samples_differ() -> None:
    """Half the samples have molecules that scatter by a tenth more; one molecule never weighs more than a few."""
    rng = np.random.default_rng(5)
    scene = np.arange(20_000) // 20
    drawn = rng.normal(0, np.where(scene % 2, 1.1, 1.0)[:, None], (20_000, MEASURES))
    known = plain("abcdef", 0.0)
    usual = unlikeness(known, scene, drawn, conditions(20_000))
    found = unlike(known, usual, drawn, conditions(20_000))
    assert found.mean() == pytest.approx(0, abs=0.02)
    assert found.std() == pytest.approx(1, rel=0.02)
    apart = found[scene % 2 == 1].mean() - found[scene % 2 == 0].mean()
    assert np.sqrt(usual.between[0, 0] / usual.covariance[0, 0]) == pytest.approx(apart / 2, rel=0.25)
    assert unlike(known, usual, np.full((1, MEASURES), 100.0), conditions(1))[0] < 6
