"""Laws of the in-focus vectorial spot."""

import numpy as np
import pytest

from models.optics.gaussian import profiles
from models.optics.in_focus import VectorialSpot, radial_profile
from models.optics.objective import Objective


def test_the_whole_spot_holds_one_photon() -> None:
    r = np.arange(0.5, 40_000, 1.0)
    assert (radial_profile(Objective(), r) * 2 * np.pi * r).sum() == pytest.approx(1, abs=0.01)


def test_low_aperture_gives_the_airy_disc() -> None:
    objective = Objective(numerical_aperture=0.1, immersion_index=1.0, sample_index=1.0)
    first_zero = 0.61 * objective.wavelength_nm / objective.numerical_aperture
    h = radial_profile(objective, np.array([0.0, first_zero]))
    assert h[1] < 1e-3 * h[0]
    assert h[0] == pytest.approx(np.pi * (objective.numerical_aperture / objective.wavelength_nm) ** 2, rel=0.01)


def test_a_spot_moves_without_changing() -> None:
    spot = VectorialSpot(Objective(), pixel_size_nm=100, size_px=41)
    still, one_pixel, right, left = spot.draw(np.array([0.0, 1.0, 0.3, -0.3]), np.zeros(4))
    np.testing.assert_allclose(one_pixel[:, 1:], still[:, :-1], atol=1e-7)
    np.testing.assert_allclose(right, left[:, ::-1], atol=1e-7)
    assert right.sum() == pytest.approx(still.sum(), rel=1e-3)
    u = np.arange(41) - 20
    assert (right.sum(0) @ u) / right.sum() == pytest.approx(0.3, abs=0.03)


def test_gaussian_profile_is_the_integral_over_the_pixel() -> None:
    fine = np.arange(0, 20, 0.001) + 0.0005
    density = np.exp(-((fine - 7.3) ** 2) / (2 * 1.1**2)) / (1.1 * np.sqrt(2 * np.pi)) * 0.001
    np.testing.assert_allclose(profiles(np.array([7.3]), 1.1, 20)[0], density.reshape(20, -1).sum(1), atol=1e-6)
