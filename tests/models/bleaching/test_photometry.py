"""The light of spots is measured without bias, with the noise that is stated, whatever background and neighbours do."""

import numpy as np
import pytest

from models.bleaching.photometry import filters, gaussian, width_nm
from models.camera import Camera
from models.optics.low_rank import LowRankSpot
from models.optics.render import render
from stream import zoo

PIXEL, SIGMA, SHAPE = 100.0, 130.0, (64, 64)
CAMERAS = [
    Camera(gain_adu_per_e=2.0, read_noise_e=1.5),
    Camera(gain_adu_per_e=0.05, em_gain=100, read_noise_e=50.0),
    Camera(gain_adu_per_e=2.0, read_noise_e=np.where(np.indices(SHAPE).sum(0) % 7 == 0, 12.0, 1.0).astype(np.float32)),
]
SPOT = gaussian(SIGMA, PIXEL)
PLACE = np.array([[1520.0, 1610, 0], [1850, 1610, 0], [3200, 3250, 0], [4890, 1010, 0], [130, 5200, 0]])
"""Two of them overlap, the last one is cut by the edge."""
PHOTONS = np.array([900.0, 2500, 1200, 400, 1500])


def expected(photons, place=PLACE, slope=0.0):
    frame = np.zeros(len(place), np.int64)
    light = render(SPOT, place, photons, frame, (1, *SHAPE))[0]
    return light + 20 + slope * np.arange(SHAPE[1])


@pytest.mark.parametrize("camera", CAMERAS, ids=["sCMOS", "EMCCD", "hot pixels"])
def test_mean_and_noise_are_those_stated(camera):
    rng, mean = np.random.default_rng(1), expected(PHOTONS, slope=0.4)
    frames = np.stack([camera.expose(mean, rng) for _ in range(600)])
    made = filters(SPOT, PLACE, camera.photo_electrons(frames[:10].mean(0)), camera)
    light, variance = made.measure(camera.photo_electrons(frames), camera.variance_e2, camera.excess)
    sigma = np.sqrt(variance.mean(0))
    np.testing.assert_allclose(light.std(0), sigma, rtol=0.1)
    assert (np.abs(light.mean(0) - PHOTONS) < 4 * sigma / np.sqrt(600)).all()


def test_a_neighbour_that_bleaches_leaves_no_step():
    camera = CAMERAS[0]
    before, after = expected(PHOTONS), expected(PHOTONS * [1, 0, 1, 1, 1])
    made = filters(SPOT, PLACE, before, camera)
    light, _ = made.measure(np.stack((before, after)), camera.variance_e2, camera.excess)
    np.testing.assert_allclose(light[0], PHOTONS, rtol=1e-3)
    np.testing.assert_allclose(light[1], PHOTONS * [1, 0, 1, 1, 1], rtol=1e-3, atol=0.5)


def test_noise_is_near_that_of_known_places_and_background():
    camera, mean = CAMERAS[0], expected(PHOTONS)
    _, variance = filters(SPOT, PLACE, mean, camera).measure(mean[None], camera.variance_e2, camera.excess)
    alone = 2
    shape = SPOT(np.array([[PLACE[alone, 0] % PIXEL - 50, PLACE[alone, 1] % PIXEL - 50, 0]]))[0]
    least = 1 / (shape**2 / (PHOTONS[alone] * shape + 20 + 1.5**2)).sum()
    assert least <= variance[0, alone] < 1.5 * least


def test_the_width_is_found():
    place = np.random.default_rng(2).uniform(500, 5900, (12, 3))
    frame = expected(np.linspace(3000, 500, 12), place)
    assert width_nm(place, frame, CAMERAS[0], PIXEL) == pytest.approx(SIGMA, rel=0.03)


def test_spots_in_depth_are_measured_where_they_are():
    spot = LowRankSpot.load(zoo.spot_of("astigmatic-fast")).cropped(15, 0)
    place = np.array([[2030.0, 2110, -300], [2470, 2080, 250]])
    frame = render(spot, place, np.array([1000.0, 2000]), np.zeros(2, np.int64), (1, 48, 48))[0] + 10
    light, _ = filters(spot, place, frame, CAMERAS[0]).measure(frame[None], 1.0, 1.0)
    np.testing.assert_allclose(light[0], [1000, 2000], rtol=1e-3)
