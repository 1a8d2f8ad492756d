"""Photon transfer: what the camera puts in must come out of its pictures."""

import numpy as np
import pytest

from models.camera import Camera

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
