"""Simulated crops hold what they say: emitter, background and noise; the same step gives the same ones."""

import numpy as np
import pytest
import torch

from models.backgrounds.samples import CropSimulator
from models.backgrounds.scoring import by_background, held_out, rmse
from models.backgrounds.space import background_space
from models.sample_space import LOCALIZER_2D, LOCALIZER_3D, Range
from models.training_spots import SpotsInFocus

SPACE = background_space(LOCALIZER_2D)
SPOTS = SpotsInFocus()


def test_the_space_is_that_of_the_optics_and_of_the_background() -> None:
    assert "z_nm" in background_space(LOCALIZER_3D).fields
    assert "psf_sigma_px" in SPACE.fields
    assert "density_per_um2" not in SPACE.fields


def test_counts_are_poisson_like_around_light_and_background() -> None:
    space = SPACE.changed(neighbour_share=0.0, background_e=Range(20, 90))
    crops = CropSimulator(SPOTS, space, 300, 12).draw(1, 0)
    mean = crops.background + crops.light
    noise = ((crops.counts - mean) ** 2).mean((1, 2)) / (mean + crops.variance).mean((1, 2))
    assert 0.95 < float(noise.median()) < 1.08
    assert abs(float(((crops.counts - mean) / (mean + crops.variance).sqrt()).mean())) < 0.02


def test_the_emitter_is_near_the_middle_and_neighbours_are_no_background() -> None:
    space = SPACE.changed(neighbour_share=1.0, background_contrast=Range(0, 0), photons=Range(5000, 5000))
    crops = CropSimulator(SPOTS, space, 100, 20).draw(2, 0)
    grid = torch.arange(20) + 0.5
    total = crops.light.sum((1, 2))
    x, y = ((crops.light * g).sum((1, 2)) / total - 10 for g in (grid[None, None], grid[None, :, None]))
    assert max(x.abs().max(), y.abs().max()) < 1.0
    np.testing.assert_allclose(crops.background.std((1, 2)), 0, atol=1e-4)
    more = crops.counts.sum((1, 2)) - (crops.light + crops.background).sum((1, 2))
    assert float((more > 500).float().mean()) > 0.4  # the others' light falls beside the crop


def test_the_same_seed_and_step_give_the_same_crops() -> None:
    a, b, other = (CropSimulator(SPOTS, SPACE, 2, 12).draw(3, step).counts for step in (5, 5, 6))
    assert torch.equal(a, b)
    assert not torch.equal(a, other)


def test_a_perfect_estimate_has_no_error_and_a_constant_has_that_of_the_structure() -> None:
    flat, rough = (held_out(SPOTS, SPACE, 12, 100.0, contrast, 60) for contrast in (0.0, 0.5))
    assert rmse(rough.background.numpy(), rough) == 0
    found = by_background(lambda counts, variance: 0 * counts + 100, SPOTS, SPACE, 12, 60)
    assert found["100, 0"]["rmse"] == pytest.approx(0, abs=1e-4)
    assert found["100, 0.5"]["constant_rmse"] > 3 * found["100, 0"]["constant_rmse"]
    assert float(flat.background.std()) < 1e-4
