"""The training data obeys its sample space, and training is repeatable, resumable and learns."""

from pathlib import Path

import numpy as np
import torch

from models.patches import overlap, sample
from models.sample_space import LOCALIZER_2D, Range
from models.train import Recipe, Trainer, train

TINY = Recipe(steps=6, batch=2, patch_px=16, channels=8)


def test_patches_are_poisson_like_behind_every_camera() -> None:
    """Without emitters the variance of the counts is their mean plus the stated read noise, EM register or not."""
    space = LOCALIZER_2D.changed(density_per_um2=Range(1e-6, 2e-6), background_e=Range(20, 200))
    patches = sample(space, 60, 32, np.random.default_rng(1))
    expected = patches.background + patches.variance
    noise = (patches.counts[:, 1] - patches.background) ** 2
    ratio = noise.mean((1, 2)) / expected.mean((1, 2))
    assert np.median(ratio) == np.clip(np.median(ratio), 0.95, 1.08)


def test_emitters_lie_inside_and_carry_the_light() -> None:
    space = LOCALIZER_2D.changed(background_e=Range(0, 0.31), photons=Range(5000, 10_000))
    patches = sample(space, 40, 40, np.random.default_rng(2))
    for edge in (patches.x_px, patches.y_px):
        assert ((edge >= 0) & (edge < 40)).all()
    at = patches.counts[patches.sample, 1, patches.y_px.astype(int), patches.x_px.astype(int)]
    assert np.corrcoef(at, patches.emitter_counts)[0, 1] > 0.5


def test_overlap_shares_an_on_time_among_frames() -> None:
    start, end = np.array([0.25, -1, 2.9], "f4"), np.array([1.5, 0, 9], "f4")
    np.testing.assert_allclose(overlap(start, end, 3), [[0.75, 0, 0], [0.5, 0, 0], [0, 0, 0.1]], atol=1e-6)


def test_same_seed_same_weights_and_resuming_changes_nothing(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    whole = Trainer(TINY, LOCALIZER_2D)
    train(whole, tmp_path / "whole", lambda _: None, every=3)
    part = Trainer(TINY, LOCALIZER_2D)
    for _ in range(3):
        part.advance()
    part.save(tmp_path / "half.pt")
    resumed = Trainer.load(tmp_path / "half.pt")
    train(resumed, tmp_path / "half", lambda _: None)
    assert len((tmp_path / "whole" / "training.jsonl").read_text().splitlines()) == 2
    for a, b in zip(whole.averaged.parameters(), resumed.averaged.parameters(), strict=True):
        assert torch.equal(a, b)


def test_training_lowers_the_loss() -> None:
    torch.set_num_threads(1)
    trainer = Trainer(
        Recipe(steps=400, batch=4, patch_px=24, channels=8), LOCALIZER_2D.changed(photons=Range(2000, 3000))
    )
    loss = [float(trainer.advance().total().detach()) for _ in range(200)]
    assert np.mean(loss[-15:]) < 0.7 * np.mean(loss[:15])
