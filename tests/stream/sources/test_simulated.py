"""The simulated camera: the contract, its clock, its noise, and the truth that it sends along."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from pydantic import ValidationError

from models.camera import Camera
from models.optics.objective import Objective
from models.scenes.optics import MASKS
from models.scenes.photons import BRIGHTNESS
from models.scenes.settings import SceneSettings
from stream.actuator import Setting
from stream.errors import DeviceFault, OutputError
from stream.readers.tables import read_table
from stream.sources.simulated import SimulatedSettings, SimulatedSource
from tests.contracts import SourceContract

RIG = SceneSettings(pixel_size_nm=100, objective=Objective())
SMALL = SimulatedSettings(width_px=40, height_px=24, frames=6, density_per_um2=0.5, structure="uniform")
EMCCD = Camera(offset_adu=200, gain_adu_per_e=0.1, read_noise_e=30, em_gain=100, quantum_efficiency=0.9)
SCMOS = Camera(gain_adu_per_e=2.0, read_noise_e=1.5)


class Clock:
    """A clock that only sleeping moves on."""

    now = 5.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def camera_of(settings: SimulatedSettings, camera: Camera = SCMOS) -> SimulatedSource:
    clock = Clock()
    return SimulatedSource(settings, RIG, camera, clock, clock.sleep)


def movie(settings: SimulatedSettings, camera: Camera = SCMOS) -> np.ndarray:
    source = camera_of(settings, camera)
    source.open()
    return np.stack([frame.pixels for frame in source.frames() if frame is not None])


class TestSimulated(SourceContract):
    kind = "simulated"

    @pytest.fixture
    def settings(self) -> SimulatedSettings:
        return SMALL

    @pytest.fixture
    def source(self, settings: SimulatedSettings) -> SimulatedSource:
        return camera_of(settings)

    @pytest.fixture
    def expected(self, settings: SimulatedSettings) -> np.ndarray:
        """The same seed gives the same frames."""
        return movie(settings)


def test_the_rig_offers_the_masks_and_brightnesses_that_there_are() -> None:
    offered = {name: set(get_args(SimulatedSettings.model_fields[name].annotation)) for name in ("mask", "brightness")}
    assert offered == {"mask": set(MASKS), "brightness": set(BRIGHTNESS)}


@pytest.mark.parametrize("mask", ["none", "double-helix"])
def test_a_deep_sample_shows_its_depth_in_the_truth(tmp_path: Path, mask: str) -> None:
    deep = SMALL.model_copy(update={"depth_nm": 1000.0, "mask": mask, "truth": tmp_path / "truth.csv", "frames": 30})
    source = camera_of(deep)
    source.open()
    assert len([frame for frame in source.frames() if frame is not None]) == 30
    source.close()
    z = read_table(tmp_path / "truth.csv")["z_nm"]
    assert np.abs(z).max() <= 500
    assert z.std() > 200


def test_another_seed_gives_other_frames() -> None:
    assert (movie(SMALL) != movie(SMALL.model_copy(update={"seed": 2}))).any()


def test_it_keeps_its_rate_and_says_so_while_it_waits() -> None:
    source = camera_of(SMALL.model_copy(update={"frames_per_s": 4}))
    assert source.open().exposure_ms == 250
    came = list(source.frames())
    times = [frame.host_time_s for frame in came if frame is not None]
    np.testing.assert_allclose(np.diff(times), 0.25)
    assert times[0] == pytest.approx(5.25)
    assert came.count(None) >= 4 * len(times)  # a caller is never left alone for more than 50 ms


def test_a_slow_analyzer_does_not_shift_the_clock() -> None:
    source = camera_of(SMALL.model_copy(update={"frames_per_s": 4}))
    source.open()
    frames = (frame for frame in source.frames() if frame is not None)
    first = next(frames)
    source._sleep(0.9)
    late = [next(frames) for _ in range(4)]
    assert [frame.index for frame in late] == [1, 2, 3, 4]
    assert [one.camera_time_s - other.camera_time_s for other, one in pairwise([first, *late])] == [0.25] * 4
    assert late[-1].host_time_s == pytest.approx(5 + 5 * 0.25)  # it has caught up


def test_the_truth_is_that_of_the_frames(tmp_path: Path) -> None:
    bright = SMALL.model_copy(update={"truth": tmp_path / "truth.csv", "photons": 2e5, "background": 0.0, "frames": 40})
    source = camera_of(bright, replace(SCMOS, gain_adu_per_e=0.1))
    source.open()
    pixels = [frame.pixels for frame in source.frames() if frame is not None]
    source.close()
    truth = read_table(tmp_path / "truth.csv")
    assert set(truth["frame"]) <= set(range(40))
    inside = truth.where(
        (truth["x_nm"] > 400) & (truth["x_nm"] < 3600) & (truth["y_nm"] > 400) & (truth["y_nm"] < 2000)
    )
    inside = inside.where(inside["photons"] > 2e4)
    assert len(inside) > 20
    for frame, x, y in zip(inside["frame"], inside["x_nm"], inside["y_nm"], strict=True):
        assert pixels[frame][int(y // 100), int(x // 100)] > 200, (frame, x, y)


def test_the_truth_of_another_run_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text("precious")
    with pytest.raises(OutputError, match=r"truth\.csv"):
        camera_of(SMALL.model_copy(update={"truth": tmp_path / "truth.csv"})).open()


@pytest.mark.parametrize("camera", [EMCCD, SCMOS], ids=["EMCCD", "sCMOS"])
def test_the_noise_is_that_of_the_rigs_camera(camera: Camera) -> None:
    dark = SimulatedSettings(width_px=64, height_px=64, frames=50, density_per_um2=1e-6, background=40.0)
    electrons = camera.photo_electrons(movie(dark, camera)).astype(float)
    mean = 40 * camera.quantum_efficiency
    assert electrons.mean() == pytest.approx(mean, rel=0.01)
    rounding = 1 / 12 / camera.adu_per_photo_electron**2
    assert electrons.var() == pytest.approx(camera.excess * mean + camera.variance_e2 + rounding, rel=0.03)


def brightness_of(frames: int, source: SimulatedSource) -> float:
    return float(np.mean([next(source.frames()).pixels.astype(float).mean() - SCMOS.offset_adu for _ in range(frames)]))


def test_its_laser_makes_emitters_switch_on_more_often_and_the_rest_is_refused() -> None:
    source = camera_of(SMALL.model_copy(update={"frames": None, "frames_per_s": "max", "background": 0.0}))
    source.open()
    before = brightness_of(60, source)
    assert source.actuator.set(Setting("laser", "power", 4.0, 0, 10)) == 4
    brightness_of(5, source)
    assert brightness_of(60, source) > 1.5 * before
    assert source.actuator.set(Setting("laser", "power", 0.0, 0, 10)) == 0
    brightness_of(5, source)
    assert brightness_of(60, source) < before
    for wrong in (Setting("laser", "colour", 1, 0, 10), Setting("laser", "power", float("nan"), 0, 10)):
        with pytest.raises(DeviceFault, match="laser"):
            source.actuator.set(wrong)


COLOURS = [{"wavelength_nm": 680, "focus_nm": 60}, {"wavelength_nm": 600, "zernike_waves": {"11": 0.05}}]


def test_colours_are_counted_from_the_shortest_wavelength_and_told_in_the_truth(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    settings = SimulatedSettings(**SMALL.model_dump() | {"colour": COLOURS, "truth": path})
    assert [dye.wavelength_nm for dye in settings.dyes] == [600, 680]
    assert settings.dyes[0].zernike_waves == {11: 0.05}
    source = camera_of(settings)
    source.open()
    assert sum(frame is not None for frame in source.frames()) == 6
    source.close()
    assert set(read_table(path)["channel"]) == {0, 1}


@pytest.mark.parametrize("other", [{"psf": "gaussian"}, {"mask": "astigmatism"}, {"zernike_waves": {6: 0.1}}], ids=str)
def test_colours_stand_behind_an_open_pupil(other: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="behind an open pupil: leave out psf, mask"):
        SimulatedSettings(colour=COLOURS, **other)
