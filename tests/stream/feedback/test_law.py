"""The law of the activation: never beyond the limits, at rest where it should be, and it follows what bleaches."""

from math import isfinite

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.scenes.blinking import Blinking, Kinetics
from stream.feedback.law import TREND_ERROR, Drive, after, first, next_drive
from stream.feedback.settings import ActivationSettings


def settings(**more: object) -> ActivationSettings:
    least = {"mode": "on", "device": "laser", "property": "power", "molecules": 10, "maximum": 100}
    return ActivationSettings(**least | more)


@given(
    st.lists(st.floats(0, 1e9), min_size=1, max_size=40), st.floats(0, 50), st.floats(50.5, 1e4), st.floats(1e-3, 1),
    st.floats(0, 1), st.floats(0.1, 1000), st.floats(0, 90),
)  # fmt: skip
def test_never_beyond_the_limits_and_never_further_than_a_step(
    numbers: list[float], low: float, high: float, gain: float, feedback: float, step: float, dead: float
) -> None:
    s = settings(
        minimum=low, maximum=high, gain=gain, feedback=feedback, step_percent=step, dead_zone_percent=dead
    )  # fmt: skip
    drive = first(s)
    for molecules in numbers:
        before, drive = drive, next_drive(drive, molecules, s)
        assert isfinite(drive.power)
        assert isfinite(drive.trend)
        assert low <= drive.power <= high
        assert abs(drive.power - before.power) <= step / 100 * max(before.power, 0.001 * high) * (1 + 1e-9)


@pytest.mark.parametrize("molecules", [float("nan"), float("inf"), -1.0])
def test_a_number_that_cannot_be_is_refused(molecules: float) -> None:
    with pytest.raises(ValueError, match="molecules"):
        next_drive(Drive(1.0), molecules, settings())


def test_the_change_is_the_closed_form() -> None:
    s = settings(gain=0.5, feedback=0.2, dead_zone_percent=0)
    assert next_drive(Drive(10.0, 0.01), 9.5, s) == Drive(pytest.approx(10 / (1 - 0.025 - 0.02)), pytest.approx(0.02))
    far = next_drive(Drive(10.0), 0.0, s)  # all are missing: the step limit, and no more than its share in the trend
    assert far == Drive(pytest.approx(15.0), pytest.approx(0.2 * TREND_ERROR))


@given(st.floats(6.7, 14.9).filter(lambda n: abs(n - 10) > 0.2))
def test_a_gain_of_one_without_a_trend_is_right_at_once(molecules: float) -> None:
    s = settings(gain=1, feedback=0)
    assert next_drive(Drive(8.0), molecules, s).power * molecules / 8.0 == pytest.approx(10)


@given(st.floats(9.81, 10.19), st.floats(0, 100), st.floats(-0.5, 0.5))
def test_nothing_changes_in_the_dead_zone(molecules: float, power: float, trend: float) -> None:
    assert next_drive(Drive(power, trend), molecules, settings()) == Drive(power, trend)


def test_it_leaves_zero_and_comes_down_from_the_maximum_at_once() -> None:
    s = settings()
    drive = first(s)
    assert drive.power == 0
    for _ in range(40):
        drive = next_drive(drive, 0.0, s)
    assert drive == Drive(100.0)
    assert next_drive(drive, 20.0, s).power < 70


@given(st.floats(0.05, 1), st.floats(0.01, 1), st.floats(0.3, 3))
def test_it_comes_to_rest_at_the_wanted_number_whatever_the_gains(gain: float, feedback: float, off: float) -> None:
    s = settings(gain=gain, feedback=feedback, dead_zone_percent=0)
    drive, swings = Drive(5.0 * off), []
    for _ in range(2000):
        swings.append(abs(drive.power / 5.0 - 1))  # 2 molecules for each unit of power
        drive = next_drive(drive, 2 * drive.power, s)
    assert max(swings[-20:]) < 0.01


def test_a_sample_that_bleaches_steadily_is_followed_without_a_lasting_error() -> None:
    s, left, errors = settings(dead_zone_percent=0), 1.0, []
    drive = Drive(5.0)
    for _ in range(40):
        molecules = 2 * left * drive.power
        errors.append(abs(1 - molecules / 10))
        drive, left = next_drive(drive, molecules, s), 0.94 * left
    assert left < 0.1
    assert max(errors) < 0.1
    assert max(errors[-10:]) < 0.005


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_blinking_emitters_are_held_within_ten_percent_until_nine_in_ten_have_bleached(seed: int) -> None:
    """Each shines once; frames that were under way when the power was changed do not count."""
    s, count, lag = settings(molecules=100, every_frames=40, start=0.8), 100_000, 10
    sample = Blinking(count, Kinetics(2.0, 1998.0, bleach_frames=2.0), np.random.default_rng(seed))
    drive, seen, numbers = first(s), [], []
    sample.activate(drive.power)
    while sample.bleached < 0.9 * count:
        numbers.append(float((sample.expose() > 0.3).sum()))
        seen.append(numbers[-1])
        if len(seen) == s.every_frames + lag:
            drive, seen = next_drive(drive, float(np.mean(seen[lag:])), s), []
            sample.activate(drive.power)
    assert drive.power > 5 * 0.8
    for tenth in np.array_split(numbers, 10):
        assert np.mean(tenth) == pytest.approx(100, rel=0.1)


def test_what_is_not_given_is_the_minimum() -> None:
    assert (first(settings(minimum=3)).power, after(settings(minimum=3))) == (3, 3)
    assert (first(settings(start=4)).power, after(settings(after=5))) == (4, 5)
