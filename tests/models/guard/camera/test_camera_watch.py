"""What is wrong with a camera is found in frames with blinking molecules, and a camera that is right is left alone."""

from dataclasses import replace

import numpy as np
import pytest

from models.camera import Camera
from models.guard.camera.camera_watch import CameraWatch
from models.guard.camera.places import Places
from models.guard.verdict import Finding
from models.localizations import Localizations
from models.scenes.background import structured
from models.scenes.scene import Scene
from models.scenes.settings import SceneSettings

SHAPE, MOVIE, DIM = (64, 64), 128, 100.0
RIG = Camera(100, 2, 1.5)


class Light(Camera):
    """Hands out expected photons."""

    def expose(self, photons: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return photons


@pytest.fixture(scope="module")
def movie() -> tuple[np.ndarray, list[Localizations]]:
    """Expected photons of blinking molecules, and those that a localizer finds."""
    settings = SceneSettings(64, 64, structure="uniform", density_per_um2=0.3, psf="gaussian", background=0)
    scene = Scene(settings, Light(), np.random.default_rng(1))
    frames, tables = zip(*(scene.picture() for _ in range(MOVIE)), strict=True)
    return np.array(frames), [table.where(np.asarray(table["photons"]) > DIM) for table in tables]


def watched(movie, true: Camera, looks: int, rig: Camera = RIG, level=15.0, contrast=0.3, change=None, start=0):
    """Two frames a batch: only those are looked at for noise."""
    light, tables = movie
    rng, watch = np.random.default_rng(4), CameraWatch(rig, SHAPE)
    background = structured(SHAPE, level, contrast, (20.0, 50.0), np.random.default_rng(3))
    for k in range(looks):
        at = np.array([2 * k, 2 * k + 1]) % MOVIE
        power = (1 + 0.05 * rng.standard_normal((2, 1, 1))) * np.exp(-k / 1000)
        pixels = true.expose((light[at] + background) * power, rng)
        pixels = pixels if change is None or k < start else change(pixels, rng)
        parts = [Places.of(tables[i], np.array([i]), 100.0) for i in at]
        frame = np.concatenate([np.full(len(part.row), n) for n, part in enumerate(parts)])
        places = Places(frame, *(np.concatenate([getattr(p, side) for p in parts]) for side in ("row", "column")))
        watch.take(pixels, places)
    return watch


def named(findings: list[Finding]) -> list[str]:
    return [one.name for one in findings]


EM = Camera(200, 1 / 3.6, 36, em_gain=100)


@pytest.mark.parametrize("camera", [RIG, EM])
@pytest.mark.parametrize("level", [0.5, 3.0, 40.0])
def test_nothing_is_said_of_a_camera_that_is_as_stated(movie, camera: Camera, level: float) -> None:
    assert watched(movie, camera, 300, rig=camera, level=level).findings() == []


@pytest.mark.parametrize(("factor", "word"), [(0.8, "outside"), (0.9, "drifting"), (1.1, "drifting"), (1.3, "outside")])
def test_a_wrong_gain_is_named_with_its_value(movie, factor: float, word: str) -> None:
    watch = watched(movie, replace(RIG, gain_adu_per_e=2 * factor), 300, level=40.0)
    (finding,) = watch.findings()
    assert (finding.name, finding.word) == ("gain", word)
    assert finding.evidence["gain"] == pytest.approx(1 / factor, rel=0.04)
    assert "gain_e_per_adu" in finding.remedy


def test_where_the_level_does_not_vary_all_causes_are_named(movie) -> None:
    (finding,) = watched(movie, replace(RIG, gain_adu_per_e=2.6), 30, contrast=0.0).findings()
    assert finding.name == "noise"
    assert finding.evidence["gain"] == pytest.approx(1 / 1.3, rel=0.06)
    assert {"offset", "read_noise"} <= set(finding.evidence)


def test_maps_tell_read_noise_from_offset(movie) -> None:
    noise = np.exp(np.random.default_rng(5).normal(0.4, 0.35, SHAPE)).astype("f4")
    rig = replace(RIG, read_noise_e=noise)
    (finding,) = watched(movie, replace(rig, read_noise_e=3 * noise), 60, rig=rig).findings()
    assert finding.name == "read noise"
    assert finding.evidence["read_noise"] == pytest.approx(3, rel=0.1)
    (finding,) = watched(movie, replace(rig, offset_adu=105), 200, rig=rig).findings()
    assert finding.name == "offset"
    assert finding.evidence["offset"] == pytest.approx(5, rel=0.3)


def test_counts_below_the_offset_are_named(movie) -> None:
    found = watched(movie, replace(RIG, offset_adu=70), 30, level=1.0).findings()
    assert any(one.name == "offset" and "below" in one.cause for one in found)


def frozen(pixels, rng):
    pixels[:, 10, 20:24] = 117
    return pixels


def hot(pixels, rng):
    pixels[:, 30, 30] += 200
    pixels[:, 40, 12] += rng.integers(0, 2, 2).astype("u2") * 2000
    return pixels


def flicker(pixels, rng):
    return (pixels + np.rint(rng.normal(20, 8, (2, 64, 1)))).astype("u2")


@pytest.mark.parametrize(
    ("change", "expected"),
    [(frozen, {"frozen pixels"}), (hot, {"hot pixels", "noisy pixels"}), (flicker, {"flickering rows"})],
)
def test_bad_pixels_and_rows_are_found(movie, change, expected: set[str]) -> None:
    found = watched(movie, RIG, 100, change=change, start=20).findings()
    assert expected <= set(named(found))
    assert all("(30, 30)" in one.cause for one in found if one.name == "hot pixels")
    assert all("(10, 20)" in one.cause for one in found if one.name == "frozen pixels")


def test_repeated_frames_are_counted_and_forgotten(movie) -> None:
    watch = watched(movie, RIG, 30, change=lambda pixels, rng: pixels[[0, 0]], start=28)
    (finding,) = watch.findings()
    assert (finding.name, finding.evidence["frames"]) == ("repeated frames", 2)


def test_saturation_by_the_stated_top_and_by_one_that_is_not(movie) -> None:
    (finding,) = watched(movie, replace(RIG, bit_depth=9), 40, rig=replace(RIG, bit_depth=9)).findings()
    assert (finding.name, finding.evidence["top_adu"]) == ("saturation", 511)
    (finding,) = watched(movie, replace(RIG, bit_depth=9), 40).findings()
    assert (finding.name, finding.evidence["top_adu"]) == ("saturation", 511)
    assert "bit_depth" in finding.cause


def test_places_are_those_of_the_batch() -> None:
    table = Localizations({
        "frame": np.array([6, 7, 9, 8]), "x_nm": np.array([50.0, 250, 50, np.nan]), "y_nm": np.array([950.0, 50, 50, 1])
    })  # fmt: skip
    places = Places.of(table, np.array([6, 7, 8]), 100.0)
    assert (places.frame.tolist(), places.row.tolist(), places.column.tolist()) == ([0, 1], [9, 0], [0, 2])
    free = places.within(0, 0).free_cells((8, 8))
    assert not free[2:7, 0:3].any()
    assert free.sum() == 64 - 15


@pytest.mark.parametrize("shape", [(5, 9), (600, 301)])
def test_frames_of_any_shape(shape: tuple[int, int]) -> None:
    rng, watch = np.random.default_rng(6), CameraWatch(RIG, shape)
    none = Places(*(np.zeros(0, np.int64) for _ in range(3)))
    for _ in range(12):
        watch.take(RIG.expose(np.full((1, *shape), 20.0), rng), none)
    assert watch.findings() == []
