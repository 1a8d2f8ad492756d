"""Recorded traces that show 3 to 6 steps by eye: the step finder misses hardly any, in whatever unit they are."""

import numpy as np
import pytest

from models.bleaching.step_finder import falls, step_frames

pytestmark = pytest.mark.shared_data


@pytest.fixture(scope="module")
def traces(shared_data):
    folder = shared_data / "bleaching-traces"
    table = np.genfromtxt(folder / "ExampleStack_difference.csv", delimiter=",", skip_header=2)
    return np.concatenate((table[:, 6:], np.loadtxt(folder / "ExampleTrace.txt")))


def test_steps_are_seen_and_hardly_any_is_missed(traces):
    told = np.array([falls(trace) for trace in traces])
    assert (told >= 3).mean() > 0.85
    assert np.median(told) >= 4


def test_the_unit_does_not_matter(traces):
    assert all(np.array_equal(step_frames(1e-3 * trace), step_frames(trace)) for trace in traces)
