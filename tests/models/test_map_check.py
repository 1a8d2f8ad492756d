"""Maps that lie wrongly on their frames are found out, on simulated frames and on real ones."""

import numpy as np
import pytest

from models.camera import Camera
from models.map_check import ORIENTATIONS, doubts, missing_base_adu, orientation
from models.scenes.scene import Scene
from models.scenes.settings import SceneSettings

SHAPE = (96, 96)
GAIN_E_PER_ADU = 0.5


@pytest.fixture(scope="module")
def camera() -> Camera:
    rng = np.random.default_rng(1)
    noise = np.exp(rng.normal(np.log(1.5), 0.35, SHAPE))
    offset = 100 + rng.normal(0, 2, SHAPE)
    return Camera(offset.astype("f4"), 1 / GAIN_E_PER_ADU, noise.astype("f4"))


@pytest.fixture(scope="module")
def frames(camera: Camera) -> np.ndarray:
    settings = SceneSettings(height_px=96, width_px=96, psf="gaussian", density_per_um2=0.3, background=5)
    scene = Scene(settings, camera, np.random.default_rng(2))
    return np.stack([scene.picture()[0] for _ in range(20)])


def maps(camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    return camera.offset_adu, (camera.read_noise_e / GAIN_E_PER_ADU) ** 2


@pytest.mark.parametrize("name", ORIENTATIONS)
def test_the_orientation_is_named_that_puts_maps_right(camera: Camera, frames: np.ndarray, name: str) -> None:
    undo = {"turned by 90 degrees": "turned by 270 degrees", "turned by 270 degrees": "turned by 90 degrees"}
    wrongly = [ORIENTATIONS[undo.get(name, name)](given) for given in maps(camera)]
    found = orientation(frames, *wrongly)
    assert found.best == name
    assert found.wrong == (name != "as it is")


@pytest.mark.parametrize("which", ["offset", "noise"])
def test_one_map_is_enough(camera: Camera, frames: np.ndarray, which: str) -> None:
    offset, variance = (given.T for given in maps(camera))
    found = orientation(frames, offset if which == "offset" else None, variance if which == "noise" else None)
    assert found.best == "transposed"
    assert found.wrong


def test_maps_of_another_camera_are_not_turned() -> None:
    rng = np.random.default_rng(5)
    other = rng.normal(100, 2, SHAPE), rng.uniform(1, 9, SHAPE)
    seen = orientation(rng.poisson(120, (20, *SHAPE)).astype("u2"), *other)
    assert not seen.wrong


def test_maps_that_fit_raise_no_doubts(camera: Camera, frames: np.ndarray) -> None:
    assert doubts(frames, *maps(camera), GAIN_E_PER_ADU) == []


def test_a_base_that_the_map_lacks(camera: Camera, frames: np.ndarray) -> None:
    offset, variance = maps(camera)
    assert missing_base_adu(frames, offset, variance, GAIN_E_PER_ADU) == pytest.approx(0, abs=4)
    (said,) = doubts(frames, offset - 90, variance, GAIN_E_PER_ADU)
    assert "ADU above the offset map" in said
    assert missing_base_adu(frames, offset - 90, variance, GAIN_E_PER_ADU) == pytest.approx(90, abs=4)


def test_too_little_to_judge(camera: Camera, frames: np.ndarray) -> None:
    assert doubts(frames[:3], *maps(camera), GAIN_E_PER_ADU) == []
    with pytest.raises(ValueError, match="3 frames: at least 5"):
        orientation(frames[:3], *maps(camera))
    with pytest.raises(ValueError, match="neither an offset nor a noise map"):
        orientation(frames, None, None)
    with pytest.raises(ValueError, match="in no orientation"):
        orientation(frames, np.ones((10, 20)), None)


@pytest.mark.shared_data
@pytest.mark.filterwarnings("ignore:Reading .* file required additional header parsing")
def test_the_transposed_map_of_a_real_camera(shared_data) -> None:
    """STORM frames of an sCMOS with its calibration: transposed, and without the base of about 100 ADU."""
    folder = shared_data / "scmos-storm"
    stack = np.fromfile(folder / "sample.dax", ">u2").reshape(-1, 256, 256).astype("u2")
    offset, variance, gain_e_per_adu = np.load(folder / "calib.npy")
    first, second = doubts(stack, offset, variance, gain_e_per_adu)
    assert "fit the frames transposed" in first
    assert "above the offset map" in second
    assert missing_base_adu(stack, offset.T, variance.T, gain_e_per_adu.T) == pytest.approx(100, abs=6)
    assert doubts(stack, offset.T + 100, variance.T, gain_e_per_adu.T) == []
