"""Photon transfer from two neighbouring frames: unbiased for every camera, whatever flickers."""

import numpy as np
import pytest

from models.camera import Camera
from models.guard.camera.noise_band import NoiseBand
from models.guard.camera.pixel_noise import PixelNoise
from models.guard.camera.transfer_sums import TransferSums
from models.scenes.background import structured

SHAPE = (96, 96)
FREE = np.ones((48, 48), bool)


def cameras() -> dict[str, Camera]:
    rng = np.random.default_rng(1)
    noise, offset = np.exp(rng.normal(0.4, 0.35, SHAPE)), 100 + rng.normal(0, 2, SHAPE)
    return {
        "plain": Camera(100, 2, 1.5),
        "maps": Camera(offset.astype("f4"), (2 + rng.normal(0, 0.05, SHAPE)).astype("f4"), noise.astype("f4")),
        "EM register": Camera(200, 1 / 3.6, 36, em_gain=100, spurious_e=0.05),
        "coarse counts": Camera(100, 0.5, 1.0),
    }


def summed(rig: Camera, true: Camera, photons: float, contrast: float, looks: int, flicker: float = 0) -> TransferSums:
    rng = np.random.default_rng(2)
    light = structured(SHAPE, photons, contrast, (20.0, 50.0), rng)
    band, found = NoiseBand(PixelNoise.of(rig, SHAPE)), []
    for _ in range(looks):
        power = 1 + flicker * rng.standard_normal((2, 1, 1))
        seen = band.look(true.expose(light * power, rng), FREE, 1.0)
        found += [] if seen is None else [seen.sums]
    return sum(found[1:], found[0])


@pytest.mark.parametrize("photons", [8, 60])
@pytest.mark.parametrize("name", cameras())
def test_a_rig_that_is_right_has_the_ratio_and_the_slope_one(name: str, photons: float) -> None:
    camera = cameras()[name]
    sums = summed(camera, camera, photons, 0.3, 100, flicker=0.05)
    (ratio, error), (slope, slope_error) = sums.ratio(), sums.slope()
    assert error < 0.005
    assert abs(ratio) < 4 * error
    assert abs(slope) < 4 * slope_error


def test_errors_are_what_looks_scatter_by() -> None:
    camera, scatter = Camera(100, 2, 1.5), []
    rng, band = np.random.default_rng(3), NoiseBand(PixelNoise.of(Camera(100, 2, 1.5), SHAPE))
    light = structured(SHAPE, 20, 0.3, (20.0,), rng)
    for _ in range(150):
        seen = band.look(camera.expose(np.stack([light, light]), rng), FREE, 1.0)
        if seen is not None:
            scatter += [(part[0] / part[1]) for part in (seen.sums.ratio(), seen.sums.slope())]
    assert np.std(scatter[0::2]) == pytest.approx(1, abs=0.2)
    assert np.std(scatter[1::2]) == pytest.approx(1, abs=0.2)


def test_a_gain_shows_in_the_slope_and_an_offset_does_not() -> None:
    rig = Camera(100, 2, 1.5)
    assert summed(rig, Camera(100, 2.4, 1.5), 40, 0.4, 60).slope()[0] == pytest.approx(0.2, abs=0.05)
    assert summed(rig, Camera(110, 2, 1.5), 40, 0.4, 60).slope()[0] == pytest.approx(0, abs=0.05)


def test_a_level_that_does_not_vary_says_nothing_of_the_slope() -> None:
    camera = Camera(100, 2, 1.5)
    assert summed(camera, Camera(100, 2.4, 1.5), 40, 0.0, 20).slope()[1] > 0.3
