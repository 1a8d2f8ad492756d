"""Photon transfer: what the camera puts in must come out of its pictures."""

import numpy as np
import pytest
import torch

from models.camera import Camera
from models.camera_torch import expose, photo_electrons

RNG = np.random.default_rng(7)


def pictures(camera: Camera, photons: float) -> np.ndarray:
    return camera.expose(np.full((400, 40, 40), photons, np.float32), RNG)


@pytest.mark.parametrize("gain", [0.5, 2.2])
def test_scmos_photon_transfer_returns_offset_gain_and_read_noise(gain: float) -> None:
    camera = Camera(offset_adu=100, gain_adu_per_e=gain, read_noise_e=3.0)
    dark, bright = pictures(camera, 0), pictures(camera, 400)
    assert dark.mean() == pytest.approx(100, abs=0.1)
    measured = (bright.var() - dark.var()) / (bright.mean() - dark.mean())
    assert measured == pytest.approx(gain, rel=0.01)
    assert np.sqrt(dark.var() - 1 / 12) / gain == pytest.approx(3.0, rel=0.02)


def test_em_register_doubles_the_variance() -> None:
    camera = Camera(offset_adu=100, gain_adu_per_e=0.05, read_noise_e=20, em_gain=200)
    electrons = camera.photo_electrons(pictures(camera, 50))
    assert electrons.mean() == pytest.approx(50, rel=0.01)
    assert electrons.var() / electrons.mean() == pytest.approx(camera.excess, rel=0.03)


def test_photo_electrons_invert_the_counts_with_per_pixel_maps() -> None:
    offset, gain = RNG.uniform(90, 110, (40, 40)), RNG.uniform(0.4, 2.5, (40, 40))
    camera = Camera(
        offset_adu=offset.astype("f4"), gain_adu_per_e=gain.astype("f4"), read_noise_e=0, quantum_efficiency=0.8
    )
    mean = camera.photo_electrons(pictures(camera, 500)).mean(0)
    np.testing.assert_allclose(mean, 400, rtol=0.02)


def test_counts_saturate_at_the_bit_depth() -> None:
    assert pictures(Camera(bit_depth=12), 1e5).max() == 4095


@pytest.mark.parametrize(
    "camera",
    [
        Camera(offset_adu=100, gain_adu_per_e=2.0, read_noise_e=1.5, spurious_e=3.0),
        Camera(offset_adu=400, gain_adu_per_e=0.2, read_noise_e=30, em_gain=50, spurious_e=0.3),
    ],
)
def test_spurious_electrons_add_noise_and_no_counts(camera: Camera) -> None:
    dark = pictures(camera, 0)
    assert dark.mean() == pytest.approx(camera.offset_adu, abs=0.2)
    scale = float(camera.adu_per_photo_electron)
    assert (dark.var() - 1 / 12) / scale**2 == pytest.approx(float(camera.variance_e2), rel=0.02)


def test_a_full_well_holds_no_more() -> None:
    camera = Camera(offset_adu=100, gain_adu_per_e=0.5, read_noise_e=0, full_well_e=3000)
    assert pictures(camera, 1e4).max() == 1600 == camera.saturation_adu
    assert Camera(bit_depth=12).saturation_adu == 4095


MAP = np.linspace(1, 3, 40, dtype=np.float32) * np.ones((40, 1), np.float32)
FULL = Camera(offset_adu=100 * MAP, gain_adu_per_e=MAP, read_noise_e=MAP, spurious_e=0.5, quantum_efficiency=0.7)
EMCCD = Camera(offset_adu=200, gain_adu_per_e=0.2, read_noise_e=40, em_gain=80, spurious_e=0.1, full_well_e=50_000)


@pytest.mark.parametrize("camera", [FULL, EMCCD])
@pytest.mark.parametrize("photons", [0.3, 30.0, 3000.0])
def test_torch_takes_the_same_pictures(camera: Camera, photons: float) -> None:
    generator = torch.Generator().manual_seed(4)
    there = expose(camera, torch.full((400, 40, 40), photons), generator).numpy().astype(float)
    here = pictures(camera, photons).astype(float)
    error = float(np.sqrt(2 * here.var(0).mean() / here.size))
    assert there.mean() == pytest.approx(here.mean(), abs=5 * error)
    np.testing.assert_allclose(there.var(0).mean(), here.var(0).mean(), rtol=0.02, atol=1e-3)
    assert (there == np.rint(there)).all()


def test_torch_inverts_the_same() -> None:
    adu = pictures(FULL, 20)[:2]
    there = photo_electrons(FULL, torch.from_numpy(adu.astype(np.float32)))
    np.testing.assert_allclose(there.numpy(), FULL.photo_electrons(adu), rtol=1e-5, atol=1e-4)


def test_a_generator_fixes_torchs_pictures() -> None:
    first, second = (expose(EMCCD, torch.full((9, 9), 5.0), torch.Generator().manual_seed(2)) for _ in range(2))
    assert torch.equal(first, second)
