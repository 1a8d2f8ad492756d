"""Rendering: where the light lands, that it adds up, at the borders too, by numpy and torch."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.optics.gaussian import GaussianSpot, constant, profiles
from models.optics.render import render

SPOT = GaussianSpot(constant(130), 100, 11)
SHAPE = (3, 24, 30)


def emitters(count: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    positions = rng.uniform((-900, -900, 0), (3900, 3300, 0), (count, 3))
    return positions, rng.uniform(100, 1000, count), rng.integers(0, SHAPE[0], count)


def test_it_is_the_sum_of_whole_spots() -> None:
    """Against the separable Gaussian over the whole frame, which has no window; the window cuts off 1e-4."""
    positions, photons, frame = emitters(60)
    expected = np.zeros(SHAPE)
    for (x, y, _), light, k in zip(positions, photons, frame, strict=True):
        rows, columns = (profiles(np.array([at / 100]), 1.3, length)[0] for at, length in ((y, 24), (x, 30)))
        expected[k] += light * np.outer(rows, columns)
    np.testing.assert_allclose(render(SPOT, positions, photons, frame, SHAPE), expected, atol=0.3)


def test_numpy_and_torch_agree() -> None:
    given_ = emitters(2500)
    there = render(SPOT, *(torch.from_numpy(values) for values in given_), SHAPE)
    np.testing.assert_allclose(there.numpy(), render(SPOT, *given_, SHAPE), atol=1e-9)


def test_torch_differentiates_it() -> None:
    positions, photons, frame = (torch.from_numpy(values) for values in emitters(20))
    photons.requires_grad_()
    render(SPOT, positions, photons, frame, SHAPE).sum().backward()
    assert 0.9 < photons.grad.max() <= 1
    assert photons.grad.min() == 0  # outside


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**31), st.integers(0, 40))
def test_light_is_additive_and_never_lands_elsewhere(seed: int, count: int) -> None:
    positions, photons, frame = emitters(count, seed)
    whole = render(SPOT, positions, photons, frame, SHAPE)
    half = count // 2
    parts = [render(SPOT, positions[c], photons[c], frame[c], SHAPE) for c in (slice(0, half), slice(half, None))]
    np.testing.assert_allclose(whole, sum(parts), atol=1e-9)
    assert whole.shape == SHAPE
    assert whole.sum() <= photons.sum() + 1e-9
    for k in set(range(SHAPE[0])) - set(frame.tolist()):
        assert whole[k].sum() == 0
