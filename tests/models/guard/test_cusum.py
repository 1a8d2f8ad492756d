"""Cumulative sums: false alarms as rare as stated, shifts found soon, alarms that end."""

import numpy as np
import pytest

from models.guard import cusum
from models.guard.cusum import Mean, OneSided, Share


def until(test: OneSided, steps: np.ndarray) -> int | None:
    for k, step in enumerate(steps):
        test.add(step)
        if test.raised:
            return k + 1
    return None


def test_no_false_alarm_more_often_than_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cusum, "STEPS_IN_TEN_HOURS", 100)
    rng, shift, lengths = np.random.default_rng(1), 1.0, []
    for _ in range(200):
        ratios = shift * (rng.standard_normal(4000) - shift / 2)
        lengths.append(until(OneSided(1), ratios) or 4000)
    assert np.mean(lengths) > 100


@pytest.mark.parametrize(("value", "side"), [(0.1, "above"), (-0.1, "below")])
def test_a_shift_is_found_on_its_side_and_forgotten_when_it_is_gone(value: float, side: str) -> None:
    rng, test = np.random.default_rng(2), Mean(0.03, 0.04, 1)
    for _ in range(40):
        test.add(value + 0.03 * rng.standard_normal(), 0.03)
    assert test.raised is getattr(test, side)
    for _ in range(60):
        test.add(0.03 * rng.standard_normal(), 0.03)
    assert test.raised is None


def test_what_is_within_the_tolerance_raises_nothing() -> None:
    rng, test = np.random.default_rng(3), Mean(0.03, 0.04, 1)
    for _ in range(20_000):
        test.add(0.03 + 0.03 * rng.standard_normal(), 0.03)
    assert test.raised is None


def test_no_single_batch_raises_an_alarm() -> None:
    test = Mean(0.03, 0.04, 1)
    test.add(100.0, 0.001)
    assert test.raised is None


def test_a_share_is_counted_from_where_the_evidence_began() -> None:
    rng, test = np.random.default_rng(4), Share(0.05, 0.15, 1)
    for _ in range(3000):
        test.count(int(rng.binomial(40, 0.05)), 40)
    assert not test.raised
    for _ in range(100):
        test.count(int(rng.binomial(40, 0.3)), 40)
    assert test.raised
    assert test.share == pytest.approx(0.3, abs=0.04)
