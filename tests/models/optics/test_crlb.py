"""Bounds against closed forms and measured numbers of others; Zernikes and orientation by automatic derivatives."""

import numpy as np
import pytest
import torch

from models.optics import phase_masks
from models.optics.crlb import automatic_jacobian, bounds, fisher, spot_bounds
from models.optics.dipole import DipoleSpot, second_moments
from models.optics.expected import PARAMETERS, expected
from models.optics.gaussian import GaussianSpot, constant, free
from models.optics.objective import Objective
from models.optics.propagator import Setup
from models.optics.vectorial import Aberration, VectorialSpot

FLAT = ("x_nm", "y_nm", "photons", "background")
OIL = Objective(sample_index=1.518)


def emitter(z: float = 0.0, photons: float = 1000.0, background: float = 10.0) -> np.ndarray:
    return np.array([[0.0, 0.0, z, photons, background]])


def mortensen(sigma: float, pixel: float, photons: float, background: float) -> float:
    """Mortensen et al., Nat. Methods 7 (2010), equation 5: the bound of a maximum-likelihood fit of a Gaussian."""
    wide = sigma**2 + pixel**2 / 12
    ratio = 2 * np.pi * wide * background / (photons * pixel**2)
    t = np.linspace(0, 1, 200_001)[1:]
    integrand = np.log(t) / (1 + t / ratio)
    integral = 1 + np.sum((integrand[1:] + integrand[:-1]) / 2) * (t[1] - t[0])
    return float(np.sqrt(wide / photons / integral))


def rieger(sigma: float, pixel: float, photons: float, background: float) -> float:
    """Rieger & Stallinga, ChemPhysChem 15 (2014): the same bound without an integral."""
    wide = sigma**2 + pixel**2 / 12
    tau = 2 * np.pi * wide * background / (photons * pixel**2)
    return float(np.sqrt(wide / photons * (1 + 4 * tau + np.sqrt(2 * tau / (1 + 4 * tau)))))


@pytest.mark.parametrize("photons", [500.0, 1000.0, 5000.0])
@pytest.mark.parametrize("background", [1.0, 10.0, 50.0])
def test_closed_forms_for_a_gaussian(photons: float, background: float) -> None:
    found = spot_bounds(GaussianSpot(constant(130), 100, 31), emitter(0, photons, background), free=FLAT)
    assert found["x_nm"][0] == pytest.approx(mortensen(130, 100, photons, background), rel=0.02)
    assert found["x_nm"][0] == pytest.approx(rieger(130, 100, photons, background), rel=0.03)


def test_an_em_register_costs_the_square_root_of_two() -> None:
    spot = GaussianSpot(constant(130), 100)
    plain, doubled = (spot_bounds(spot, emitter(), excess=f, free=FLAT) for f in (1.0, 2.0))
    for name in FLAT:
        assert doubled[name] == pytest.approx(2**0.5 * plain[name])


def test_read_noise_counts_as_light_without_information() -> None:
    spot = GaussianSpot(constant(130), 100)
    noisy = spot_bounds(spot, emitter(background=10), variance=4.0, free=FLAT)
    bright = spot_bounds(spot, emitter(background=14), free=FLAT)
    for name in FLAT:
        assert noisy[name] == pytest.approx(bright[name])


@pytest.mark.parametrize(
    ("z", "xyz_nm"),
    [(0, (7.6, 7.6, 20.6)), (200, (6.4, 12.7, 24.5)), (400, (8.6, 21.9, 25.9)), (600, (18.6, 35.2, 27.5))],
)
def test_astigmatism_as_an_independent_prototype_found_it(z: float, xyz_nm: tuple[float, ...]) -> None:
    """0.1 waves of Noll 6, NA 1.4, matched oil, 680 nm, pixels of 100 nm, 1,000 photons on 10; to 2 %."""
    spot = VectorialSpot(Setup(OIL, mask=phase_masks.astigmatism(), pupil_samples=64), 100, 31)
    found = spot_bounds(spot, emitter(z))
    assert [found[name][0] for name in PARAMETERS[:3]] == pytest.approx(xyz_nm, rel=0.02)


def test_z_in_the_focus_of_an_open_pupil_is_unknown_and_spoils_nothing() -> None:
    spot = VectorialSpot(Setup(OIL, pupil_samples=32), 100, 21)
    found, flat = spot_bounds(spot, emitter()), spot_bounds(spot, emitter(), free=FLAT)
    assert np.isinf(found["z_nm"][0])
    for name in FLAT:
        assert found[name] == pytest.approx(flat[name])


def test_analytic_and_automatic_derivatives_agree() -> None:
    spot = GaussianSpot(free(), 100)
    theta = torch.tensor([[10.0, -20, 130, 1000, 10], [0, 0, 150, 500, 2]], dtype=torch.float64)
    mean, jacobian = expected(spot, theta)
    again, automatic = automatic_jacobian(lambda row: row[3] * spot(row[None, :3])[0] + row[4], theta)
    torch.testing.assert_close(again, mean)
    torch.testing.assert_close(automatic, jacobian)


def test_bounds_of_zernikes_and_of_orientation() -> None:
    """More light narrows them by its square root; modes that were not asked for cost nothing."""
    setup = Setup(OIL, zernike_waves={6: 0.08}, pupil_samples=32)
    spot, dipole = VectorialSpot(setup, 100, 21), DipoleSpot(setup, 100, 21)
    z = torch.zeros(5, 3, dtype=torch.float64)
    focus = torch.linspace(-1000, 1000, 5, dtype=torch.float64)

    def stack(waves: torch.Tensor, photons: float) -> torch.Tensor:
        phase = spot.propagator.zernike_phase((5, 6, 7, 8, 11), waves[None]).expand(5, -1, -1)
        return photons * spot(z, Aberration(focus, phase)) + 1

    def turned(angles: torch.Tensor, photons: float) -> torch.Tensor:
        moments = second_moments(angles[:1], angles[1:2], 0 * angles[:1])
        return photons * dipole(z[:1] + 300, moments) + 1

    for image, at in ((stack, torch.zeros(1, 5)), (turned, torch.tensor([[0.8, 0.4]]))):
        found = []
        for photons in (1e4, 4e6):
            mean, jacobian = automatic_jacobian(lambda row, n=photons, f=image: f(row, n), at.double())
            found.append(bounds(fisher(jacobian, mean)))
        assert (found[0] / found[1] > 19).all()
        assert (found[0] / found[1] < 60).all()
        assert (found[1] < 0.005).all()


def test_bounds_stay_on_the_device_of_what_they_are_of() -> None:
    assert bounds(torch.zeros(2, 5, 5, device="meta")).device.type == "meta"
