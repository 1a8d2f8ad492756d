"""The reference takes out what depends on the conditions, and says how much samples have in common."""

import numpy as np
import pytest

from models.guard.molecules.reference import FARTHEST, between, reference

rng = np.random.default_rng(1)
SCENES, EACH = 300, 40


@pytest.fixture(scope="module")
def simulated() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    scene = np.repeat(np.arange(SCENES), EACH)
    conditions = rng.uniform(0, 1, (len(scene), 5))
    conditions[:, 4] = rng.integers(0, 2, len(scene))
    common = rng.normal(0, [0.0, 0.5], (SCENES, 2))[scene]
    measures = rng.normal(0, [1.0, 2.0], (len(scene), 2)) + common
    measures[:, 0] += 3 * conditions[:, 0] ** 2 - conditions[:, 2]
    return scene, measures, conditions


def test_what_depends_on_light_and_depth_is_taken_out(simulated: tuple[np.ndarray, ...]) -> None:
    scene, measures, conditions = simulated
    left = reference(("a", "b"), scene, measures, conditions).deviations(measures, conditions)
    for dim in (conditions[:, 0] < 0.2, conditions[:, 0] > 0.8, conditions[:, 2] > 0.8):
        assert abs(left[dim, 0].mean()) < 0.08


def test_what_all_molecules_of_a_sample_share_is_told_apart_from_their_spread(
    simulated: tuple[np.ndarray, ...],
) -> None:
    known = reference(("a", "b"), *simulated)
    shared = np.sqrt(np.diag(known.between))
    assert shared[0] < 0.08
    assert shared[1] == pytest.approx(0.5 / np.hypot(2.0, 0.5), rel=0.2)


def test_where_molecules_scatter_more_they_count_for_less() -> None:
    conditions = np.random.default_rng(3).uniform(0, 1, (12_000, 5))
    measures = np.random.default_rng(4).normal(0, 1, (12_000, 1)) * np.exp(2 * conditions[:, :1])
    left = reference(("a",), np.arange(12_000) // 40, measures, conditions).deviations(measures, conditions)
    assert [left[part, 0].std() for part in (conditions[:, 0] < 0.2, conditions[:, 0] > 0.8)] == pytest.approx(
        [1, 1], abs=0.12
    )


def test_no_molecule_counts_for_more_than_four_standard_deviations(simulated: tuple[np.ndarray, ...]) -> None:
    scene, measures, conditions = simulated
    known = reference(("a", "b"), scene, measures, conditions)
    left = known.deviations(measures[:1] + 1e6, conditions[:1])
    assert np.abs(left).max() <= FARTHEST + 0.5


def test_what_a_model_does_not_give_counts_for_nothing(simulated: tuple[np.ndarray, ...]) -> None:
    scene, measures, conditions = simulated
    gone = measures.copy()
    gone[:, 1] = np.nan
    known = reference(("a", "b"), scene, gone, conditions)
    assert (known.deviations(gone, conditions)[:, 1] == 0).all()
    assert np.isfinite(known.covariance).all()


def test_scenes_without_anything_in_common_have_no_covariance() -> None:
    left = np.random.default_rng(2).normal(0, 1, (12_000, 3))
    assert np.diag(between(np.repeat(np.arange(300), 40), left, np.eye(3))).max() < 0.004
