"""Without aberrations the image in focus is radially symmetric: three Hankel transforms give it in closed form."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import jv

from models.optics.gaussian import profiles
from models.optics.objective import Objective
from models.optics.propagator import Setup
from models.optics.vectorial import VectorialSpot

SAMPLES = 4000


def radial_profile(objective: Objective, r_nm: np.ndarray) -> np.ndarray:
    """Return the share of the photons per nm^2 at a distance; its integral over the plane is 1.

    h(r) = (2 |A_0|^2 + 2 |B_2|^2 + |C_1|^2) / norm, X_m(r) = integral of X(rho) J_m(k NA rho r) rho d rho.
    """
    rho = (np.arange(SAMPLES) + 0.5) / SAMPLES
    n_i, n_m = objective.immersion_index, objective.sample_index
    sin_i, sin_m = (objective.numerical_aperture * rho / n for n in (n_i, n_m))
    cos_i, cos_m = np.sqrt(1 - sin_i**2), np.sqrt(1 - sin_m.astype(complex) ** 2)
    t_s, t_p = 2 * n_i * cos_i / (n_i * cos_i + n_m * cos_m), 2 * n_i * cos_i / (n_i * cos_m + n_m * cos_i)
    pupil = {0: (t_p * cos_m + t_s) / 2, 1: t_p * sin_m, 2: (t_p * cos_m - t_s) / 2}
    k = 2 * np.pi * objective.numerical_aperture / objective.wavelength_nm
    intensity, energy = np.zeros(len(r_nm)), 0.0
    for order, weight in ((0, 2), (1, 1), (2, 2)):
        amplitude = pupil[order] / np.sqrt(cos_i) * rho / SAMPLES
        intensity += weight * np.abs(jv(order, k * r_nm[:, None] * rho) @ amplitude) ** 2
        energy += weight * float((np.abs(pupil[order]) ** 2 / cos_i * rho).sum() / SAMPLES)
    return intensity * k**2 / (2 * np.pi * energy)


@pytest.mark.parametrize("objective", [Objective(), Objective(sample_index=1.518), Objective(numerical_aperture=0.7)])
def test_the_transform_of_the_pupil_is_that_of_hankel(objective: Objective) -> None:
    """Pixels of 10 nm are points; a few rings."""
    spot = VectorialSpot(Setup(objective, pupil_samples=256), 10.0, 201)
    row = spot(np.zeros((1, 3)))[0, 100, 100:]
    closed = radial_profile(objective, np.arange(101) * 10.0) * 100
    np.testing.assert_allclose(row, closed, atol=4e-3 * closed[0])


def test_low_aperture_gives_the_airy_disc() -> None:
    objective = replace(Objective(), numerical_aperture=0.1, immersion_index=1.0, coverslip_index=1.0, sample_index=1.0)
    zero_nm = 3.8317 / (2 * np.pi * objective.numerical_aperture) * objective.wavelength_nm
    spot = VectorialSpot(Setup(objective, pupil_samples=64), 50.0, 3)
    center, ring = (spot(np.array([[x, 0.0, 0.0]]))[0, 1, 1] for x in (0.0, zero_nm))
    assert ring < 1e-3 * center
    peak = np.pi * (objective.numerical_aperture / objective.wavelength_nm) ** 2 * 50**2
    assert center == pytest.approx(peak, rel=0.02)


def test_gaussian_profile_is_the_integral_over_the_pixel() -> None:
    fine = np.arange(0, 20, 0.001) + 0.0005
    density = np.exp(-((fine - 7.3) ** 2) / (2 * 1.1**2)) / (1.1 * np.sqrt(2 * np.pi)) * 0.001
    np.testing.assert_allclose(profiles(np.array([7.3]), 1.1, 20)[0], density.reshape(20, -1).sum(1), atol=1e-6)
