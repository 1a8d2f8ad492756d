"""Training traces: steps are those in the truth, noise is what the sample space says, the same seed the same traces."""

import numpy as np
import pytest

from models.bleaching.samples import TraceSimulator
from models.bleaching.scoring import PLAIN
from models.bleaching.space import TRACES
from models.bleaching.step_finder import falls
from models.sample_space import Range
from models.scenes.bleaching import Fluorophores

STILL = {name: Range(0, 0) for name in ("flicker", "background_error", "brightness_spread")}


def drawn(seed=1, batch=60, **fields):
    ranges = {name: Range(value, value) for name, value in fields.items() if isinstance(TRACES.fields[name], Range)}
    space = TRACES.changed(**(PLAIN | STILL | {"frames": Range(600, 600)} | fields | ranges))
    return TraceSimulator(space, batch).draw(seed, 0)


def test_the_same_seed_gives_the_same_traces():
    one, other = (TraceSimulator(TRACES, 8).draw(3, 5) for _ in range(2))
    assert np.array_equal(one.intensity, other.intensity)
    assert np.array_equal(one.steps, other.steps)


def test_few_clear_steps_are_found_as_many_as_stated():
    made = drawn(photons=4000.0, snr=4.0, em_share=0.0, life_share=0.6)
    few = made.steps <= 3
    told = np.array([falls(trace) for trace in made.intensity[few]])
    true = made.steps[few]
    assert (np.abs(told - true) <= 1).mean() > 0.8, "a step within a frame may count twice"
    assert (told[true == 0] == 0).mean() > 0.6


@pytest.mark.parametrize("em_share", [0.0, 1.0])
def test_noise_is_that_of_the_stated_ratio(em_share):
    made = drawn(batch=200, photons=1000.0, snr=5.0, em_share=em_share, read_noise_e=10.0)
    dark = made.intensity[made.steps == 0]
    excess = 1 + em_share
    assert dark.mean() == pytest.approx(0, abs=7)
    assert dark.var() == pytest.approx((1000 / 5) ** 2 - excess * 1000, rel=0.05), "its own photons' noise is missing"


def test_all_classes_are_alike():
    steps = np.concatenate([TraceSimulator(TRACES, 64).draw(1, k).steps for k in range(20)])
    share = np.bincount(steps, minlength=9) / len(steps)
    np.testing.assert_allclose(share, 1 / 9, atol=0.03)


def test_dark_states_take_light_away_for_as_long_as_they_last():
    one = Fluorophores(np.array([[100.0]]), np.array([[20.5]]), np.array([[[[3.25, 7.0], [19.0, 40.0]]]]))
    light = one.expected(30)[0]
    truth = np.full(30, 100.0)
    truth[3], truth[4:7], truth[19:] = 25, 0, 0
    np.testing.assert_allclose(light, truth, atol=1e-9)
    assert Fluorophores(np.array([[100.0]]), np.array([[np.inf]]), np.zeros((1, 1, 0, 2))).expected(5).tolist() == [
        [100.0] * 5
    ]
