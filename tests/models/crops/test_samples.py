"""Crops hold what they say; a fit with the true spots reaches their bound, and what is unknown raises it."""

import numpy as np
import pytest
import torch

from models import psf
from models.aberrations.space import with_objective
from models.crops.bounds import crop_bounds
from models.crops.build import crop_spots
from models.crops.fitted import fitting
from models.crops.samples import EmitterSimulator, truth_names
from models.crops.scoring import held_out, scores_of
from models.crops.space import crops_space
from models.crops.spots import CropSpots
from models.optics.low_rank import LowRankSpot
from models.optics.objective import Objective

SIDE = 20
SPACE = with_objective(crops_space(psf.default_space("astigmatic"), "smnet-z"), Objective())
ABERRATED = with_objective(crops_space(psf.default_space("astigmatic"), "zelger"), Objective())


@pytest.fixture(scope="module")
def spot() -> LowRankSpot:
    made = psf.spot("astigmatic", SPACE, Objective())
    assert made is not None
    return made


@pytest.fixture(scope="module")
def spots(spot: LowRankSpot) -> CropSpots:
    return crop_spots("astigmatic", SPACE, spot, SIDE)


def test_counts_are_poisson_like_around_the_truth(spots: CropSpots) -> None:
    crops = EmitterSimulator(spots, SPACE, 300, SIDE).draw(1, 0)
    x, y, z, photons, background = crops.truth.double().T
    assert float(torch.cat((x, y)).abs().max()) <= 0.9
    place = torch.stack((100 * x, 100 * y, z), dim=1)
    mean = photons[:, None, None] * spots.light(place, torch.zeros(300, 0)) + background[:, None, None]
    spread = (crops.counts - mean) / (mean + crops.variance).sqrt()
    assert 0.97 < float((spread**2).mean(dim=(1, 2)).median()) < 1.06
    assert abs(float(spread.mean())) < 0.02


def test_the_same_seed_and_step_give_the_same_crops(spot: LowRankSpot) -> None:
    spots = crop_spots("astigmatic", ABERRATED, spot, SIDE)
    a, b, other = (EmitterSimulator(spots, ABERRATED, 2, SIDE).draw(3, step) for step in (5, 5, 6))
    assert torch.equal(a.counts, b.counts)
    assert torch.equal(a.truth, b.truth)
    assert not torch.equal(a.truth, other.truth)
    assert a.truth.shape[1] == len(truth_names(spots.further))
    assert float(a.truth[:, 5:].abs().max()) <= 0.06


def test_a_fit_with_the_true_spots_reaches_the_bound(spots: CropSpots, spot: LowRankSpot) -> None:
    found = scores_of(fitting(spot, SIDE), held_out(spots, SPACE, SIDE, 4000, 400, aberrated=False))
    for name in ("x_px", "y_px", "z_nm", "photons"):
        assert 0.9 < found[name]["over_bound"] < 1.12, name
        assert 0.9 < found[name]["pull"] < 1.12, name
    slices = found["z_nm"]["by_z"]
    assert [one["z_nm"] for one in slices] == pytest.approx(np.arange(-525, 600, 150))


def test_what_is_unknown_of_the_pupil_raises_bounds_and_misleads_a_fit(spot: LowRankSpot) -> None:
    spots = crop_spots("astigmatic", ABERRATED, spot, SIDE)
    held = held_out(spots, ABERRATED, SIDE, 4000, 100, aberrated=True)
    known, unknown = (crop_bounds(spots, held.crops, further_known=given) for given in (True, False))
    assert bool((unknown[:, :5] >= known[:, :5] * (1 - 1e-4)).all())
    assert float((unknown[:, 2] / known[:, 2]).median()) > 1.2
    assert bool(torch.isinf(known[:, 5:]).all())
    assert 0.001 < float(unknown[:, 5:].median()) < 0.1
    found = scores_of(fitting(spot, SIDE), held)
    assert found["z_nm"]["rmse"] > 3 * float(known[:, 2].median())
