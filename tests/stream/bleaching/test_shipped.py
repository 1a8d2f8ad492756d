"""The step counter that ships counts better than the step finder: simulated traces, and recorded ones."""

from contextlib import closing

import numpy as np
import pytest

from models.bleaching.scoring import accuracy, at_snr, classical_counter, network_counter
from stream.bleaching.opening import step_counter
from stream.commands.evaluate_traces import predictor

MODEL = "xu-bleaching-fast"


@pytest.fixture
def counter():
    with closing(step_counter(MODEL)) as engine:
        yield engine


def test_it_counts_better_on_the_sample_space(counter):
    (traces,) = at_snr(counter.card.sample_space, 8.0, 100, plain=False)
    network, classical = (
        accuracy(np.minimum(count(traces.intensity), 8), traces.steps)
        for count in (network_counter(predictor(counter)), classical_counter)
    )
    assert network["right"] > classical["right"] + 0.05
    assert network["within_one"] > 0.75


@pytest.mark.shared_data
def test_more_of_the_recorded_traces_have_as_many_steps_as_the_eye_sees(counter, shared_data):
    folder = shared_data / "bleaching-traces"
    table = np.genfromtxt(folder / "ExampleStack_difference.csv", delimiter=",", skip_header=2)
    traces = np.concatenate((table[:, 6:], np.loadtxt(folder / "ExampleTrace.txt"))).astype(np.float32)
    network, classical = (
        np.mean((told >= 3) & (told <= 6))
        for told in (network_counter(predictor(counter))(traces), classical_counter(traces))
    )
    assert network >= classical + 0.1
