"""The training data obeys its sample space, and training is repeatable, resumable and learns."""

from pathlib import Path

import numpy as np
import pytest
import torch

from models.optics.gaussian import GaussianSpot, astigmatic
from models.optics.low_rank import LowRankSpot
from models.optics.low_rank_build import low_rank
from models.recipe import Recipe
from models.sample_space import LOCALIZER_2D, LOCALIZER_3D, Range, SampleSpace
from models.simulation import Simulator
from models.train import Trainer, train
from models.training_spots import SpotInDepth, SpotsInFocus, TrainingSpots

TINY = Recipe(steps=6, batch=2, patch_px=16)


@pytest.fixture(scope="module")
def spot() -> LowRankSpot:
    exact = GaussianSpot(astigmatic(120, -250, 250, 350), 100, 15)
    return low_rank(exact, (-600, 600), rank=20, z_nodes=9, reach_px=0)


@pytest.fixture(params=["2d", "3d"])
def kind(request: pytest.FixtureRequest, spot: LowRankSpot) -> tuple[SampleSpace, TrainingSpots]:
    if request.param == "2d":
        return LOCALIZER_2D, SpotsInFocus()
    return LOCALIZER_3D, SpotInDepth(spot, LOCALIZER_3D)


def test_samples_are_poisson_like_behind_every_camera(kind: tuple[SampleSpace, TrainingSpots]) -> None:
    """Without emitters the variance of the counts is their mean plus the stated read noise, EM register or not."""
    space, spots = kind
    space = space.changed(density_per_um2=Range(1e-6, 2e-6), background_e=Range(20, 90))
    samples = Simulator(spots, space, 60, 32).draw(1, 0)
    expected = samples.background + samples.variance
    noise = (samples.counts[:, 1] - samples.background) ** 2
    ratio = float((noise.mean((1, 2)) / expected.mean((1, 2))).median())
    assert 0.95 < ratio < 1.08


def test_emitters_lie_inside_and_carry_the_light(kind: tuple[SampleSpace, TrainingSpots]) -> None:
    space, spots = kind
    space = space.changed(background_e=Range(1, 1.1), photons=Range(5000, 10_000), density_per_um2=Range(0.1, 0.2))
    s = Simulator(spots, space, 40, 40).draw(2, 0)
    assert s.position.shape == (len(s.sample), spots.dimensions)
    assert ((s.position[:, :2] >= 0) & (s.position[:, :2] < 40)).all()
    assert s.position[:, 2:].abs().max() <= 1 if spots.dimensions == 3 else True
    x, y = s.position[:, :2].long().unbind(1)
    at = s.counts[s.sample, 1, y, x]
    assert np.corrcoef(at, s.emitter_counts)[0, 1] > 0.5


def test_the_same_step_gives_the_same_samples_and_another_one_others() -> None:
    simulator = Simulator(SpotsInFocus(), LOCALIZER_2D, 2, 16)
    first, again, other = (simulator.draw(3, step).counts for step in (5, 5, 6))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_same_seed_same_weights_and_resuming_changes_nothing(tmp_path: Path, spot: LowRankSpot) -> None:
    torch.set_num_threads(1)
    whole = Trainer(TINY, LOCALIZER_3D, spot)
    train(whole, tmp_path / "whole", every=3)
    part = Trainer(TINY, LOCALIZER_3D, spot)
    for _ in range(3):
        part.advance()
    part.save(tmp_path / "half")
    resumed = Trainer.load(tmp_path / "half")
    train(resumed, tmp_path / "half")
    assert len((tmp_path / "whole" / "training.jsonl").read_text().splitlines()) == 2
    for a, b in zip(whole.averaged.parameters(), resumed.averaged.parameters(), strict=True):
        assert torch.equal(a, b)


def test_training_lowers_the_loss(kind: tuple[SampleSpace, TrainingSpots], spot: LowRankSpot) -> None:
    torch.set_num_threads(1)
    space, spots = kind
    recipe = Recipe(steps=200, batch=4, patch_px=24)
    trainer = Trainer(recipe, space.changed(photons=Range(2000, 3000)), spot if spots.dimensions == 3 else None)
    loss = [float(trainer.advance().total.detach()) for _ in range(100)]
    assert np.mean(loss[-15:]) < 0.7 * np.mean(loss[:15])


def test_an_emitter_that_rounds_to_the_edge_is_outside() -> None:
    simulator = Simulator(SpotsInFocus(), LOCALIZER_2D, 1, 40)
    position = np.array([[np.nextafter(4000.0, 0), 100, 130], [3999.0, 100, 130]])
    scaled = simulator._scaled(position)
    assert scaled[:, 0].tolist() == [40, pytest.approx(39.99)]
    assert simulator._targets(scaled, np.full((3, 2), 1e4)).tolist() == [False, True]
