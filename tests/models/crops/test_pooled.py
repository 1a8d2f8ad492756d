"""Answers that hold a prior come to what the crops say, the prior counted once."""

import numpy as np
import pytest

from models.crops.pooled import Pool

PRIOR = np.array([0.035, 0.035])
TRUE = np.array([0.04, -0.02])


def answers(count: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Posterior means and standard deviations of crops that tell the pupil to 0.01 to 0.1 waves."""
    rng = np.random.default_rng(seed)
    own = rng.uniform(0.01, 0.1, (count, 2))
    said = TRUE + own * rng.normal(size=(count, 2))
    precision = 1 / own**2 + 1 / PRIOR**2
    return said / own**2 / precision, precision**-0.5, own


def test_the_mean_is_right_where_the_mean_of_the_answers_is_not() -> None:
    mean, sigma, own = answers(2000)
    pool = Pool(PRIOR)
    for part in np.array_split(np.arange(2000), 7):
        pool.add(mean[part], sigma[part])
    found, spread, chi2 = pool.result()
    assert pool.count == 2000
    assert np.abs((found - TRUE) / spread).max() < 3
    np.testing.assert_allclose(spread, (1 / PRIOR**2 + (1 / own**2).sum(0)) ** -0.5)
    assert chi2 == pytest.approx(1, abs=0.1)
    assert np.abs(mean.mean(0)).max() < 0.7 * np.abs(TRUE).max()


def test_chi_square_tells_crops_that_do_not_agree() -> None:
    mean, sigma, _ = answers(500)
    mean[::2] += 0.03
    pool = Pool(PRIOR)
    pool.add(mean, sigma)
    assert pool.result()[2] > 1.3


def test_who_knows_nothing_leaves_the_prior() -> None:
    pool = Pool(PRIOR)
    pool.add(np.full((10, 2), 0.03), np.tile(PRIOR, (10, 1)))
    mean, sigma, _ = pool.result()
    np.testing.assert_allclose(mean, 0)
    np.testing.assert_allclose(sigma, PRIOR)
