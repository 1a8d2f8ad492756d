"""Photon transfer of simulated frames returns the camera that took them; series that cannot be used are refused."""

import numpy as np
import pytest

from models.camera import Camera
from models.camera_maps import camera_maps
from models.photon_transfer import Series, fit, lamp, summarize

SHAPE, FRAMES = (24, 20), 400
LEVELS = (50.0, 200.0, 800.0)


def series(camera: Camera, photons: float, seed: int, frames: int = FRAMES, flicker: float = 0.0) -> Series:
    rng = np.random.default_rng(seed)
    light = photons * (1 + flicker * rng.normal(size=frames))
    return summarize(camera.expose(np.full(SHAPE, level), rng) for level in light)


def transfer_of(camera: Camera, **options: float):
    return fit(series(camera, 0, 1), [series(camera, level, 2 + k, **options) for k, level in enumerate(LEVELS)])


def test_the_parameters_of_an_scmos_come_back_in_every_pixel() -> None:
    rng = np.random.default_rng(7)
    gain, noise = rng.uniform(1.6, 2.6, SHAPE), np.exp(rng.normal(0.4, 0.2, SHAPE))
    offset = 100 + rng.normal(0, 3, SHAPE)
    maps = camera_maps(transfer_of(Camera(offset, gain, noise, quantum_efficiency=0.8)))
    assert maps.gain_is_a_map
    assert not maps.hot.any()
    np.testing.assert_allclose(maps.offset_adu, offset, atol=5 * 6 / FRAMES**0.5)
    pull = (maps.gain_e_per_adu * gain - 1) / maps.gain_error
    assert 0.8 < pull.std() < 1.2
    assert abs(pull.mean()) < 0.25
    np.testing.assert_allclose(np.median(maps.read_noise_e / noise), 1, atol=0.03)


def test_the_em_gain_comes_back() -> None:
    camera = Camera(offset_adu=570, gain_adu_per_e=1 / 3.9, read_noise_e=60, em_gain=90)
    maps = camera_maps(transfer_of(camera), base_gain_e_per_adu=3.9)
    assert maps.em_gain == pytest.approx(90, rel=0.02)
    assert np.median(maps.read_noise_e) == pytest.approx(60, rel=0.03)
    np.testing.assert_array_equal(maps.gain_e_per_adu, 3.9)


def test_equal_pixels_share_one_gain() -> None:
    maps = camera_maps(transfer_of(Camera(gain_adu_per_e=2.0, read_noise_e=1.5)))
    assert not maps.gain_is_a_map
    assert np.unique(maps.gain_e_per_adu) == pytest.approx(0.5, rel=0.02)


def test_hot_pixels_are_flagged_and_count_for_nothing() -> None:
    noise = np.full(SHAPE, 1.5)
    noise[3, 4], noise[20, 11] = 60, 90
    maps = camera_maps(transfer_of(Camera(gain_adu_per_e=2.0, read_noise_e=noise)))
    assert list(zip(*np.nonzero(maps.hot), strict=True)) == [(3, 4), (20, 11)]
    assert (maps.read_noise_e[maps.hot] > 40).all()


def test_flicker_of_the_lamp_is_taken_out() -> None:
    camera = Camera(gain_adu_per_e=2.0, read_noise_e=1.5)
    shaking = transfer_of(camera, flicker=0.05)
    assert np.median(shaking.slope_adu) == pytest.approx(2.0, rel=0.03)
    assert shaking.lamps[-1].flicker == pytest.approx(0.05, rel=0.15)
    assert transfer_of(camera).lamps[-1].flicker < 0.005


def test_drift_of_the_lamp_is_seen() -> None:
    camera, rng = Camera(gain_adu_per_e=2.0), np.random.default_rng(1)
    warming = summarize(camera.expose(np.full(SHAPE, 500 * (1 + 0.1 * k / 200)), rng) for k in range(200))
    assert lamp(warming, series(camera, 0, 1)).drift == pytest.approx(0.1, rel=0.1)


def test_saturated_pixels_are_found() -> None:
    camera = Camera(gain_adu_per_e=2.0, bit_depth=12)
    assert series(camera, 3000, 1, 50).clipped(12).all()
    assert not series(camera, 300, 1, 50).clipped(12).any()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda dark: fit(dark, []), "at least one series in light"),
        (lambda dark: fit(dark, [dark]), "lies 0 ADU above the dark"),
        (lambda dark: summarize([np.zeros(SHAPE, "u2")]), "a series of 1 frames"),
        (lambda dark: summarize([np.zeros((2, 3), "u2"), np.zeros((3, 2), "u2")]), "frame 1 has shape"),
        (lambda dark: fit(dark, [summarize(np.ones((5, 4, 4), "u2"))]), "same region of interest"),
    ],
)
def test_series_that_cannot_be_used(make, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make(series(Camera(), 0, 1, 20))


@pytest.mark.shared_data
def test_a_real_emccd_has_its_published_gain_and_its_em_gains(shared_data) -> None:
    """Published: 3.859 e/ADU at gain 1; 23 and 90 by variance over mean. The dark came as mean and deviation only."""
    from tifffile import imread

    folder = shared_data / "emccd-calibration"

    def dark(name: str) -> Series:
        mean, sigma = (imread(folder / f"{name}_no-signal_{what}.tif").astype(float) for what in ("S0", "sigma"))
        return Series(5000, mean, sigma**2, mean + 5 * sigma, np.full(5000, mean.mean()))

    levels = [summarize(imread(folder / f"ADU/1x-gain_level-0{k}.tif")) for k in range(1, 7)]
    base = float(np.median(camera_maps(fit(dark("ADU/1x-gain"), levels)).gain_e_per_adu))
    assert base == pytest.approx(3.859, rel=0.05)
    for name, gain in (("25x-gain", 23), ("100x-gain", 90)):
        light = summarize(imread(folder / f"gain-GS/{name}.tif"))
        maps = camera_maps(fit(dark(f"gain-GS/{name}"), [light]), base_gain_e_per_adu=base)
        assert maps.em_gain == pytest.approx(gain, rel=0.05)
