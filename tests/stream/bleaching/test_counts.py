"""What is said of traces beside their steps: the size of a step, the noise, whether light is left."""

import numpy as np
import pytest

from stream.bleaching.counts import POINTS, Counted, examples

SAMPLES, NOISE = 400, 50.0


def counted(levels):
    """Traces that go through equal stretches of these levels, and a network that is sure of their steps."""
    rng = np.random.default_rng(1)
    light = np.stack([np.repeat(row, -(-SAMPLES // len(row)))[:SAMPLES] for row in levels]).astype(float)
    light = (light + rng.normal(0, NOISE, light.shape)).astype(np.float32)
    steps = [len(row) - 1 for row in levels]
    return Counted.of(np.eye(5)[steps], light, np.full_like(light, NOISE)), light


def test_size_of_a_step_its_noise_and_what_is_left():
    found, _ = counted([[900, 450, 0], [500, 0], [800, 600, 400], [300]])
    np.testing.assert_allclose(found.step_e[:3], [450, 500, 200], atol=45)
    np.testing.assert_allclose(found.snr[:3], found.step_e[:3] / NOISE)
    assert np.isnan(found.step_e[3])
    assert found.lit.tolist() == [False, False, True, True]
    facts = found.facts()
    assert facts["counted"] == [1, 1, 2, 0, 0]
    np.testing.assert_allclose(facts["population"], [0.25, 0.25, 0.5, 0, 0])
    assert (facts["lit"], facts["median_step_e"]) == (2, pytest.approx(450, abs=45))


def test_without_a_step_there_is_no_noise_to_tell():
    found, _ = counted([[0], [0]])
    assert (found.facts()["median_snr"], found.facts()["lit"]) == (None, 0)


def test_a_message_has_few_traces_and_few_points_of_each():
    found, light = counted([[900, 0]] * 50)
    shown = examples(found, np.arange(150.0).reshape(50, 3), light, np.arange(SAMPLES, dtype=float))
    assert [one["x_nm"] for one in shown] == [0, 27, 57, 87, 117, 147]
    assert all(len(one["light_e"]) == len(one["frame"]) == POINTS for one in shown)
