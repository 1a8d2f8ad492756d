"""The step finder: exact where noise allows, none in noise, dark states cancel out."""

import numpy as np
import pytest

from models.bleaching.step_finder import falls, levels, step_frames


def staircase(edges, heights, sigma=1.0, seed=1):
    rng = np.random.default_rng(seed)
    return np.repeat(heights, np.diff(edges)).astype(float) + rng.normal(0, sigma, edges[-1])


def test_steps_are_found_where_they_are():
    trace = staircase([0, 40, 90, 200], [20, 10, 0])
    assert step_frames(trace).tolist() == [40, 90]
    np.testing.assert_allclose(levels(trace, step_frames(trace)), [20, 10, 0], atol=0.6)
    assert falls(trace) == 2


def test_a_trace_without_noise_has_just_its_steps():
    assert step_frames(staircase([0, 40, 90, 200], [20, 10, 0], sigma=0)).tolist() == [40, 90]
    assert step_frames(np.full(50, 7.0)).tolist() == []


def test_noise_has_no_steps():
    found = [len(step_frames(np.random.default_rng(k).normal(size=300))) for k in range(40)]
    assert np.mean(found) < 0.5, "the criterion is generous: about one trace in five gets a step or two"


def test_a_dark_state_is_no_step():
    assert falls(staircase([0, 40, 60, 150, 300], [10, 0, 10, 0])) == 1


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_short_traces_have_no_steps(frames):
    assert step_frames(np.arange(frames) * 10.0).tolist() == []
