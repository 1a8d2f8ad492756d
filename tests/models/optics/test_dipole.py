"""Fixed dipoles: their average is the freely rotating one, and the mirrors and turns that they must obey."""

import numpy as np
import pytest
import torch

from models.optics.dipole import DipoleSpot, mobility_of_cone, second_moments
from models.optics.propagator import Setup
from models.optics.vectorial import VectorialSpot

SETUP = Setup(zernike_waves={6: 0.1, 7: 0.05}, height_nm=300, pupil_samples=32)
POSITION = np.array([[10.0, -30, 50]])


def moments(theta: float, phi: float, mobility: float = 0.0) -> np.ndarray:
    return second_moments(*(np.array([value]) for value in (theta, phi, mobility)))


def test_a_free_dipole_is_the_freely_rotating_one() -> None:
    free = VectorialSpot(SETUP, 100, 15)(POSITION)
    np.testing.assert_allclose(DipoleSpot(SETUP, 100, 15)(POSITION, moments(0.3, 1.0, 1.0)), free, atol=1e-12)


def test_the_average_over_all_orientations_is_the_freely_rotating_one() -> None:
    """Each orientation counts with the photons that the objective collects from it."""
    cos, weights = np.polynomial.legendre.leggauss(4)
    phi = 2 * np.pi * np.arange(6) / 6
    spot, (images, energies) = DipoleSpot(SETUP, 100, 15), DipoleSpot(SETUP, 100, 15).basis(POSITION)
    all_moments = sum(w / 12 * moments(np.arccos(c), p) for c, w in zip(cos, weights, strict=True) for p in phi)
    np.testing.assert_allclose(all_moments[0], [1 / 3] * 3 + [0] * 3, atol=1e-12)
    average = (images * all_moments[:, :, None, None]).sum(1) / (energies * all_moments).sum(1)
    np.testing.assert_allclose(average, spot(POSITION, moments(0, 0, 1.0)), atol=1e-12)


def test_an_upright_dipole_gives_a_ring_and_a_flat_one_two_lobes() -> None:
    spot = DipoleSpot(Setup(pupil_samples=32), 50, 21)
    upright, along_x, along_y = (
        spot(np.zeros((1, 3)), moments(*angles))[0] for angles in ((0, 0), (np.pi / 2, 0), (np.pi / 2, np.pi / 2))
    )
    assert upright[10, 10] < 0.5 * upright[10].max()
    np.testing.assert_allclose(upright, upright.T, atol=1e-12)
    np.testing.assert_allclose(along_x, along_y.T, atol=1e-12)
    assert along_x[10, 10] == along_x.max()


def test_the_dipole_has_no_direction() -> None:
    np.testing.assert_allclose(moments(0.4, 0.9), moments(np.pi - 0.4, 0.9 + np.pi), atol=1e-12)


def test_a_cone_frees_the_dipole() -> None:
    """The moment along the axis of a cone is (1 + cos a + cos^2 a) / 3."""
    angle = np.linspace(0, np.pi / 2, 7)
    mobility = mobility_of_cone(angle)
    np.testing.assert_allclose(1 - 2 * mobility / 3, (1 + np.cos(angle) + np.cos(angle) ** 2) / 3)
    with pytest.raises(ValueError, match="from 0 to pi / 2"):
        mobility_of_cone(np.array([2.0]))


def test_numpy_and_torch_agree() -> None:
    spot, orientation = DipoleSpot(SETUP, 100, 15), moments(0.7, 0.2, 0.3)
    there = spot(torch.from_numpy(POSITION), torch.from_numpy(orientation))
    np.testing.assert_allclose(there.numpy(), spot(POSITION, orientation), atol=1e-14)
