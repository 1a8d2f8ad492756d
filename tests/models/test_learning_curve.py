"""A forecast continues a power law, is as sure as its points, and says nothing with too few of them."""

import numpy as np
import pytest

from models.learning_curve import forecast

SAMPLES = [1000.0, 1500.0, 2000.0, 2500.0, 3000.0, 4000.0]


def test_a_power_law_is_continued_exactly() -> None:
    found = forecast(SAMPLES, [50 * n**-0.3 for n in SAMPLES], 8000)
    assert found is not None
    assert found.value == pytest.approx(50 * 8000**-0.3)
    assert found.low == pytest.approx(found.high)


def test_the_interval_holds_a_new_point_as_often_as_stated() -> None:
    rng, inside = np.random.default_rng(3), 0
    for _ in range(1000):
        errors = [50 * n**-0.3 * np.exp(rng.normal(0, 0.05)) for n in (*SAMPLES, 8000)]
        found = forecast(SAMPLES, errors[:-1], 8000)
        assert found is not None
        inside += found.low <= errors[-1] <= found.high
    assert inside / 1000 == pytest.approx(0.68, abs=0.04)  # three standard deviations


@pytest.mark.parametrize(
    ("samples", "errors"),
    [
        ([], []),
        ([0, 1000, 2000, 3000], [9, 3, 2, 1]),  # the one before the first step does not count
        ([10, 20, 8000, 9000, 10_000], [5, 4, 3, 2, 1]),  # the start lies far behind
        ([1000, 2000, 3000, 4000], [3, 2, 1, 0]),  # nothing is left to fall
    ],
)
def test_too_few_points_foretell_nothing(samples: list[float], errors: list[float]) -> None:
    assert forecast(samples, errors, 20_000) is None
