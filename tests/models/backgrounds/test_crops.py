"""Crops carry the background that they say, and a constant is as good as it gets where there is no structure."""

import numpy as np
import pytest
import torch

from models.backgrounds.crops import CropSimulator
from models.backgrounds.scoring import constant, footprint, over_constant
from models.backgrounds.space import background_space, crop_px
from models.sample_space import Range
from models.training_spots import SpotsInFocus

SPACE = background_space("2d").changed(second_share=0.0, em_share=0.0, read_noise_e=Range(0, 0))


def simulator(batch: int = 64, **changes: Range | float) -> CropSimulator:
    return CropSimulator(SpotsInFocus(), SPACE.changed(**changes), batch, 20)


def test_counts_are_light_and_background_with_shot_noise() -> None:
    drawn = simulator(256, background_contrast=Range(0, 0.3)).draw(1, 1)
    mean = drawn.light + drawn.background
    pulls = (drawn.counts - mean) / mean.sqrt()
    assert float(pulls.mean()) == pytest.approx(0, abs=0.02)
    assert float(pulls.std()) == pytest.approx(1, abs=0.03)


def test_behind_a_register_the_counts_are_divided_by_the_excess_noise() -> None:
    plain, register = (simulator(em_share=share).draw(1, 1) for share in (0.0, 1.0))
    assert torch.allclose(register.background, plain.background / 2)
    assert torch.allclose(register.light, plain.light / 2)


def test_molecules_are_in_the_middle() -> None:
    light = simulator(256, offset_px=Range(0, 0), psf_sigma_px=Range(1, 1)).draw(1, 1).light.numpy()
    x = (light.sum((0, 1)) * (np.arange(20) + 0.5)).sum() / light.sum()
    assert x == pytest.approx(10, abs=0.05)


def test_the_footprint_holds_most_of_the_light() -> None:
    light = simulator().draw(1, 1).light.numpy()
    inside = footprint(light)
    share = np.where(inside, light, 0).sum((1, 2)) / light.sum((1, 2))
    assert (share <= 0.9 + 1e-6).all()
    assert (share > 0.6).all()


def test_the_truth_scores_nothing_and_the_constant_one() -> None:
    assert set(over_constant(constant, SPACE, None, 20).values()) == {1.0}


def test_the_same_seed_and_step_give_the_same_crops() -> None:
    a, b = (simulator().draw(3, 4) for _ in range(2))
    assert torch.equal(a.counts, b.counts)


def test_crops_are_as_large_as_published() -> None:
    assert [crop_px(name) for name in ("2d", "double-helix", "tetrapod", "mine.npz")] == [12, 20, 40, 20]
