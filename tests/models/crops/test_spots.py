"""Light lies where it is said to, slopes are those of the light, and unknown aberrations change a known pupil."""

import pytest
import torch

from models import psf
from models.aberrations.space import with_objective
from models.crops.build import crop_spots
from models.crops.space import crops_space, modes_of, without_aberrations
from models.crops.spots import AberratedSpots, KnownSpots
from models.optics.gaussian import GaussianSpot, constant
from models.optics.low_rank_build import low_rank
from models.optics.objective import Objective
from models.sample_space import LOCALIZER_2D, Range

SIDE = 20
SPACE = with_objective(crops_space(psf.default_space("astigmatic"), "zelger"), Objective())
GAUSSIAN = KnownSpots(low_rank(GaussianSpot(constant(130), 100, 31), (-100, 100), 30, 3, reach_px=0), SIDE)
NOTHING = torch.zeros(4, 0)


@pytest.fixture(scope="module")
def known() -> KnownSpots:
    spot = psf.spot("astigmatic", SPACE, Objective())
    assert spot is not None
    return KnownSpots(spot, SIDE)


@pytest.fixture(scope="module")
def aberrated() -> AberratedSpots:
    spot = psf.spot("astigmatic", SPACE, Objective())
    assert spot is not None
    made = crop_spots("astigmatic", SPACE, spot, SIDE)
    assert isinstance(made, AberratedSpots)
    return made


def places() -> torch.Tensor:
    return torch.tensor([[7.0, -4, 0], [80, -60, 50], [-90, 90, -80], [30, 10, 99]], dtype=torch.float64)


def test_light_is_around_its_place() -> None:
    place = places()
    light = GAUSSIAN.light(place, NOTHING)
    grid = (torch.arange(SIDE) + 0.5 - SIDE / 2) * 100
    x, y = (light.sum(axis) @ grid.double() / light.sum((1, 2)) for axis in (1, 2))
    torch.testing.assert_close(torch.stack((x, y), dim=1), place[:, :2], atol=1.0, rtol=0)


def test_no_aberration_gives_the_spots_of_the_pupil(known: KnownSpots, aberrated: AberratedSpots) -> None:
    place = places() * torch.tensor([1, 1, 5])
    theirs, again = known.light(place, NOTHING), aberrated.light(place, torch.zeros(4, 3, dtype=torch.float64))
    assert float((theirs - again).norm() / theirs.norm()) < 2e-3
    changed = aberrated.light(place, torch.full((4, 3), 0.05, dtype=torch.float64))
    assert float((theirs - changed).norm() / theirs.norm()) > 0.1


@pytest.mark.parametrize("which", ["known", "aberrated"])
def test_slopes_are_differences_of_the_light(which: str, request: pytest.FixtureRequest) -> None:
    spots = request.getfixturevalue(which)
    place, waves = places(), torch.full((4, len(spots.modes)), 0.02, dtype=torch.float64)
    image, slopes = spots.with_slopes(place, waves)
    torch.testing.assert_close(image, spots.light(place, waves))
    both = torch.cat((place, waves), dim=1)
    for k in range(both.shape[1]):
        step = torch.zeros(both.shape[1], dtype=torch.float64)
        step[k] = 0.1 if k < 3 else 1e-4
        ends = [spots.light(at[:, :3], at[:, 3:]) for at in (both - step, both + step)]
        torch.testing.assert_close(
            slopes[:, k], (ends[1] - ends[0]) / (2 * step[k]), atol=2e-5 * float(slopes[:, k].abs().max()), rtol=1e-3
        )


def test_a_space_names_its_modes_and_can_lose_them() -> None:
    assert modes_of(SPACE) == (5, 6, 11)
    assert all(without_aberrations(SPACE)[f"noll_{j}_waves"] == Range(0, 0) for j in (5, 6, 11))
    assert modes_of(crops_space(psf.default_space("astigmatic"), "smnet-z")) == ()


def test_spots_without_a_pupil_and_spots_in_focus_are_refused() -> None:
    spot = low_rank(GaussianSpot(constant(130), 100, 31), (-100, 100), 30, 3, reach_px=0)
    with pytest.raises(ValueError, match=r"noll_5_waves, .* of mine\.npz only the spots are known"):
        crop_spots("runs/mine.npz", SPACE, spot, SIDE)
    with pytest.raises(ValueError, match="zelger finds z"):
        crops_space(LOCALIZER_2D, "zelger")
