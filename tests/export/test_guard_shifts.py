"""What a cause does is learned from the same samples with and without it."""

import numpy as np
import pytest

from export.guard import paired


def test_what_samples_differ_by_is_in_both_and_drops_out() -> None:
    rng = np.random.default_rng(1)
    of_sample = rng.normal(0, 3.0, (40, 2))
    scene, other_scene = np.repeat(np.arange(40), 20), np.repeat(np.arange(10), 12)
    usual = of_sample[scene] + rng.normal(0, 1, (800, 2))
    other = of_sample[other_scene] + rng.normal(0, 1, (120, 2)) + [0.5, -0.2]
    plain = other.mean(0) - usual.mean(0)
    assert np.abs(plain - [0.5, -0.2]).max() > 0.5, "samples differ by more than the cause does"
    assert paired(scene, usual, other_scene, other) == pytest.approx([0.5, -0.2], abs=0.3)


def test_scenes_that_only_one_has_do_not_count() -> None:
    scene, other_scene = np.array([1, 1, 2]), np.array([2, 2, 3])
    found = paired(scene, np.array([[9.0], [9.0], [1.0]]), other_scene, np.array([[2.0], [4.0], [50.0]]))
    assert found == pytest.approx([2.0])
