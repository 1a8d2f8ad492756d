"""The distance is that of Mahalanobis, 1 in the mean for what it was made of, and defined where nothing varies."""

import numpy as np
import pytest
import torch

from models.feature_distance import FeatureDistance


def cloud(n: int, seed: int = 0) -> np.ndarray:
    """Return features as a network has them: correlated, most of them 0, the last always."""
    rng = np.random.default_rng(seed)
    mixed = rng.normal(0, [3, 1, 0.3, 0.1], (n, 4)) @ np.random.default_rng(9).normal(size=(4, 5))
    return np.column_stack((np.maximum(mixed, 0), np.zeros(n))).astype(np.float32)


@pytest.mark.parametrize("shrinkage", [0.01, 0.2, 1.0])
def test_it_is_the_closed_form(shrinkage: float) -> None:
    x, other = cloud(3000).astype(float), cloud(50, 1)
    scatter = np.cov(x.T, bias=True)
    shrunk = (1 - shrinkage) * scatter + shrinkage * np.trace(scatter) / 6 * np.eye(6)
    usual = np.trace(np.linalg.solve(shrunk, scatter))
    away = other - x.mean(0)
    wanted = np.einsum("ki,ij,kj->k", away, np.linalg.inv(shrunk), away) / usual
    found = FeatureDistance.of(torch.from_numpy(cloud(3000)), shrinkage)(torch.from_numpy(other))
    np.testing.assert_allclose(found, wanted, rtol=1e-4)


def test_matched_data_is_at_one_and_what_never_was_is_far() -> None:
    distance = FeatureDistance.of(torch.from_numpy(cloud(20_000)))
    matched = cloud(20_000, 1)
    assert float(distance(torch.from_numpy(matched)).mean()) == pytest.approx(1, abs=0.03)
    matched[:, -1] = 5
    assert float(distance(torch.from_numpy(matched)).min()) > 3


def test_numbers_are_float32_and_statistics_are_not() -> None:
    """Features far from zero lose nothing."""
    x = torch.from_numpy(cloud(5000))
    distance = FeatureDistance.of(x + 1000)
    assert {value.dtype for value in distance.state_dict().values()} == {torch.float32}
    np.testing.assert_allclose(distance.whitening, FeatureDistance.of(x).whitening, rtol=2e-3, atol=1e-4)
