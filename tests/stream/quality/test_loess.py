"""Local parabolas leave a parabola as it is, and take noise away."""

import numpy as np
import pytest

from stream.quality.loess import loess


@pytest.mark.parametrize("span", [5, 9, 21])
def test_a_parabola_stays_up_to_its_ends(span: int) -> None:
    t = np.linspace(-1, 2, 40)
    parabola = 3 - t + 0.5 * t**2
    np.testing.assert_allclose(loess(parabola, span), parabola, rtol=1e-9)


def test_noise_grows_smaller_with_the_span() -> None:
    noise = np.random.default_rng(0).normal(0, 1, 4000)
    scatter = [loess(noise, span).std() for span in (5, 21, 101)]
    assert 1 > scatter[0] > 1.5 * scatter[1] > 3 * scatter[2]
