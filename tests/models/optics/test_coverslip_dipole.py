"""Derivatives of dipoles on the coverslip are differences, and only there a dipole's side of the vertical is told."""

import numpy as np
import torch

from models.optics.coverslip_dipole import CoverslipDipole, dipole_images, dipole_slopes, moments_of
from models.optics.dipole import DipoleSpot
from models.optics.objective import Objective
from models.optics.propagator import Setup

SPOT = CoverslipDipole(Objective(), 100, 15)
PLACE = np.array([[20.0, -40, 150], [0, 10, -90]])
DEGREES = np.array([[40.0, 30, 0.1], [80, -120, 0.0]])
STEPS = np.diag([0.1, 0.1, 0.1, 0.01, 0.01, 1e-4])


def light(place: np.ndarray, degrees: np.ndarray) -> np.ndarray:
    return np.asarray(dipole_images(*SPOT.basis(place), moments_of(degrees)))


def test_slopes_are_differences() -> None:
    slopes = dipole_slopes(*SPOT.basis(PLACE), SPOT.basis_slopes(PLACE), DEGREES)
    both = np.column_stack((PLACE, DEGREES))
    for k, step in enumerate(STEPS):
        ends = [light(at[:, :3], at[:, 3:]) for at in (both - step, both + step)]
        numerical = (ends[1] - ends[0]) / (2 * step[k])
        np.testing.assert_allclose(slopes[:, k], numerical, atol=1e-5 * np.abs(numerical).max())


def test_in_focus_it_is_the_dipole_of_the_same_setup() -> None:
    place = PLACE * [1, 1, 0]
    np.testing.assert_allclose(light(place, DEGREES), DipoleSpot(Setup(), 100, 15)(place, moments_of(DEGREES)))


def test_a_dipole_has_no_direction_but_leans_to_a_side() -> None:
    turned, opposite = DEGREES + np.array([0, 180, 0]), np.array([180, 180, 0]) + DEGREES * [-1, 1, 1]
    same, other = light(PLACE, opposite), light(PLACE, turned)
    here = light(PLACE, DEGREES)
    np.testing.assert_allclose(same, here, atol=1e-12)
    assert np.abs(other - here).max() > 0.02 * here.max()


def test_numpy_and_torch_agree() -> None:
    place = torch.from_numpy(PLACE)
    there = dipole_slopes(*SPOT.basis(place), SPOT.basis_slopes(place), torch.from_numpy(DEGREES))
    here = dipole_slopes(*SPOT.basis(PLACE), SPOT.basis_slopes(PLACE), DEGREES)
    np.testing.assert_allclose(there.numpy(), here, atol=1e-12 * np.abs(here).max())
