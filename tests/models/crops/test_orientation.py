"""Products of a dipole's components have one axis, whatever its sign; errors are turns; both ends are one."""

import numpy as np
import pytest
import torch

from models.crops.dipoles import DipoleSpots
from models.crops.orientation import OrientationAnswers, along_frame, apart_deg, axis_of
from models.crops.oriented_scores import oriented_scores
from models.crops.space import ON_COVERSLIP
from models.optics.dipole import second_moments
from models.optics.objective import Objective

ANGLES = torch.tensor([[0.0, 0], [30, 170], [60, -100], [89.5, 10], [90, 45]], dtype=torch.float64)


def products(angles: torch.Tensor) -> torch.Tensor:
    theta, phi = angles.deg2rad().unbind(1)
    return second_moments(theta, phi, 0 * theta)


def test_the_table_says_again_what_was_meant() -> None:
    noisy = 0.9 * products(ANGLES) + 0.02 * torch.randn(5, 6, generator=torch.Generator().manual_seed(1))
    for said, most in ((products(ANGLES), 1e-3), (noisy, 4.0)):
        table = OrientationAnswers().table(said, None)
        assert float(apart_deg(table, ANGLES).max()) < most
        assert float(table[:, 0].max()) <= 90 + 1e-6
        assert float(table[:, 1].abs().max()) <= 180 + 1e-6


def test_anything_has_an_axis() -> None:
    for odd in (torch.zeros(1, 6), -torch.ones(1, 6), torch.tensor([[1.0, 1, 1, 0, 0, 0]])):
        torch.testing.assert_close(torch.linalg.vector_norm(axis_of(odd)), torch.tensor(1.0))


def test_axes_have_no_direction() -> None:
    other = torch.stack((180 - ANGLES[:, 0], ANGLES[:, 1] + 180), dim=1)
    torch.testing.assert_close(apart_deg(other, ANGLES), torch.zeros(5, dtype=torch.float64), atol=1e-4, rtol=0)
    across = torch.tensor([[90.0, 0]], dtype=torch.float64)
    assert float(apart_deg(across, torch.tensor([[90.0, 90]]).double())) == pytest.approx(90)


def test_a_small_turn_is_an_error_of_that_size() -> None:
    step = torch.tensor([0.2, -0.3], dtype=torch.float64)
    turn, rest = along_frame(products(ANGLES + step), ANGLES)
    want = step.deg2rad() * torch.stack((torch.ones(5).double(), torch.sin(ANGLES[:, 0].deg2rad())), dim=1)
    torch.testing.assert_close(turn, want, atol=3e-5, rtol=0)
    assert float(rest.abs().max()) < 1e-4


def test_places_that_are_alike_give_the_crops_of_each() -> None:
    rng = np.random.default_rng(1)
    place = torch.tensor(np.repeat(rng.uniform(-80, 80, (2, 3)), 2, axis=0))
    further = torch.tensor(np.column_stack((rng.uniform(0, 90, 4), rng.uniform(-180, 180, 4), rng.uniform(0, 0.3, 4))))
    alike, each = (DipoleSpots(Objective(), 100, 8, count) for count in (2, 1))
    torch.testing.assert_close(alike.light(place, further), each.light(place, further))
    for one, other in zip(alike.with_slopes(place, further), each.with_slopes(place, further), strict=True):
        torch.testing.assert_close(one, other)


def test_who_knows_the_truth_has_no_error_and_a_guess_has_all() -> None:
    spots, asked = DipoleSpots(Objective(), 100, 12), []

    def guess(counts: np.ndarray, variance: np.ndarray) -> dict[str, np.ndarray]:
        asked.append(counts.shape)
        return {"theta_deg": np.full(len(counts), 45.0), "phi_deg": np.zeros(len(counts))}

    found = oriented_scores(guess, spots, ON_COVERSLIP, 60)
    assert asked == [(60, 12, 12)] * 5
    assert 40 < found["500"]["median_deg"] < 75
    bound = [row["bound_deg"] for row in found.values()]
    assert bound == sorted(bound, reverse=True)
    assert 2 < bound[0] < 30
    assert bound[-1] < 4
