"""The probability of counts: it sums to one, has the moments of the pictures, and the limits that are known."""

import numpy as np
import pytest
import torch
from scipy import stats

from models.camera import Camera
from models.camera_likelihood import log_likelihood, log_probability

SCMOS = Camera(offset_adu=100.3, gain_adu_per_e=2.1, read_noise_e=1.6, quantum_efficiency=0.8, spurious_e=0.2)
EMCCD = Camera(
    offset_adu=300, gain_adu_per_e=0.25, read_noise_e=50, em_gain=60, quantum_efficiency=0.9, spurious_e=0.05
)
CAMERAS = [SCMOS, EMCCD]


def law(camera: Camera, photons: float) -> tuple[np.ndarray, np.ndarray]:
    adu = np.arange(1.0, 6001)
    return adu, np.exp(log_probability(adu, np.full_like(adu, photons), camera))


@pytest.mark.parametrize("camera", CAMERAS)
@pytest.mark.parametrize("photons", [0.01, 0.7, 5, 60])
def test_sums_to_one_with_the_moments_of_the_camera(camera: Camera, photons: float) -> None:
    adu, p = law(camera, photons)
    assert p.sum() == pytest.approx(1, abs=1e-6)
    electrons = camera.quantum_efficiency * photons
    scale = float(camera.adu_per_photo_electron)
    mean, variance = (adu * p).sum(), (adu**2 * p).sum() - (adu * p).sum() ** 2
    assert mean == pytest.approx(camera.offset_adu + scale * electrons, rel=1e-5)
    expected = scale**2 * (camera.excess * electrons + float(camera.variance_e2)) + 1 / 12
    assert variance == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("camera", CAMERAS)
def test_pictures_follow_the_law(camera: Camera) -> None:
    rng = np.random.default_rng(3)
    drawn = camera.expose(np.full(20_000, 4.0), rng)
    adu, p = law(camera, 4.0)
    edges = np.unique(np.searchsorted(np.cumsum(p), np.linspace(0, 1, 16)[1:-1]))
    observed = np.histogram(drawn, np.r_[0, adu[edges] + 0.5, 1e9])[0]
    expected = np.diff(np.r_[0, np.cumsum(p)[edges], 1]) * drawn.size
    assert stats.chisquare(observed, expected).pvalue > 1e-3


def test_without_read_noise_it_is_poisson() -> None:
    n = np.arange(0.0, 30)
    exact = log_probability(100 + n, np.full_like(n, 7.0), Camera(offset_adu=100, read_noise_e=0))
    np.testing.assert_allclose(exact, stats.poisson(7).logpmf(n), atol=1e-9)


def test_many_electrons_are_normal() -> None:
    camera = Camera(offset_adu=100, gain_adu_per_e=0.5, read_noise_e=20)
    adu = np.arange(2500.0, 2700)
    normal = stats.norm(100 + 0.5 * 5000, 0.5 * np.sqrt(5000 + 400)).logpdf(adu)
    np.testing.assert_allclose(log_probability(adu, np.full_like(adu, 5000.0), camera), normal, atol=0.04)


@pytest.mark.parametrize("camera", CAMERAS)
def test_the_most_likely_light_is_the_light(camera: Camera) -> None:
    frame = camera.expose(np.full((80, 80), 6.0), np.random.default_rng(5)).astype(float)
    photons = np.linspace(5.4, 6.6, 13)
    likelihood = [log_likelihood(frame, np.full_like(frame, value), camera) for value in photons]
    assert photons[np.argmax(likelihood)] == pytest.approx(6, abs=0.2)


@pytest.mark.parametrize("camera", CAMERAS)
def test_torch_agrees_and_has_a_gradient(camera: Camera) -> None:
    rng = np.random.default_rng(1)
    photons = rng.uniform(0.5, 50, (3, 5, 6))
    adu = camera.expose(photons, rng).astype(float)
    light = torch.tensor(photons, requires_grad=True)
    value = log_likelihood(torch.tensor(adu), light, camera)
    np.testing.assert_allclose(value.detach().numpy(), log_likelihood(adu, photons, camera), rtol=1e-10)
    value.sum().backward()
    step = 1e-5
    up, down = (log_probability(adu, photons + d, camera) for d in (step, -step))
    np.testing.assert_allclose(light.grad.numpy(), (up - down) / (2 * step), rtol=1e-5, atol=1e-7)


def test_maps_are_per_pixel() -> None:
    read_noise = np.array([[0.5, 20.0]], np.float32)
    camera = Camera(read_noise_e=read_noise)
    both = log_probability(np.array([[104.0, 104.0]]), np.full((1, 2), 4.0), camera)
    for column in range(2):
        alone = Camera(read_noise_e=float(read_noise[0, column]))
        assert both[0, column] == pytest.approx(log_probability(np.array([104.0]), np.array([4.0]), alone)[0], rel=1e-9)
