"""A scene returns the kinetics, density, photons, background and drift that were put in."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from models.camera import Camera
from models.colours.dyes import Dye
from models.optics.render import render
from models.scenes.blinking import Blinking, Kinetics
from models.scenes.drift import Drift
from models.scenes.photons import BRIGHTNESS
from models.scenes.scene import Scene
from models.scenes.settings import SceneSettings
from models.scenes.structure_file import read_structure
from models.scenes.structures import STRUCTURES, Field

SMALL = SceneSettings(height_px=48, width_px=64, density_per_um2=0.5, psf="gaussian")


def shares(kinetics: Kinetics, frames: int, count: int = 4000) -> np.ndarray:
    blinking = Blinking(count, kinetics, np.random.default_rng(1))
    return np.stack([blinking.expose() for _ in range(frames)])


def test_blinking_returns_its_duty_cycle_and_on_time() -> None:
    seen = shares(Kinetics(on_frames=3.0, off_frames=27.0), 300)
    assert seen.mean() == pytest.approx(0.1, rel=0.03)
    # an on-time of mean 3 frames touches 3 + 1 frames on average, and runs merge when an off-time is short
    touched = (seen > 0).mean() / seen.mean()
    assert touched == pytest.approx(4 / 3, rel=0.03)
    assert ((seen > 0) & (seen < 1)).mean() > 0.2 * (seen > 0).mean()  # partial frames happen


def test_bleaching_ends_after_its_time_and_for_good() -> None:
    seen = shares(Kinetics(on_frames=2.0, off_frames=18.0, bleach_frames=10.0), 1500, 2000)
    assert seen.sum(0).mean() == pytest.approx(10, rel=0.06)
    assert seen[-100:].sum() < 0.01 * seen[:100].sum()


def test_a_ramp_of_activation_raises_the_density() -> None:
    seen = shares(Kinetics(on_frames=2.0, off_frames=98.0, activation=4.0, activation_frames=400), 800)
    assert seen[:40].mean() == pytest.approx(0.02, rel=0.25)
    assert seen[500:].mean() == pytest.approx(2 / (2 + 98 / 4), rel=0.05)


@pytest.mark.parametrize("power", [0.25, 1.0, 5.0])
def test_activation_scales_how_often_emitters_switch_on_at_once(power: float) -> None:
    blinking = Blinking(20_000, Kinetics(on_frames=2.0, off_frames=398.0), np.random.default_rng(2))
    blinking.activate(power)
    for _ in range(12):  # those that were on go off
        blinking.expose()
    seen = np.mean([blinking.expose().mean() for _ in range(200)])
    assert seen == pytest.approx(2 / (2 + 398 / power), rel=0.05)


def test_activation_awakes_none_that_has_bleached() -> None:
    blinking = Blinking(500, Kinetics(2.0, 8.0, bleach_frames=2.0), np.random.default_rng(3))
    while blinking.bleached < 250:
        blinking.expose()
    gone = blinking.bleached
    blinking.activate(100.0)
    assert blinking.bleached == gone
    for power in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="power"):
            blinking.activate(power)


@pytest.mark.parametrize("wrong", [{"on_frames": 0}, {"off_frames": -1}, {"bleach_frames": 1.0}])
def test_kinetics_that_cannot_be(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Kinetics(**{"on_frames": 2.0, "off_frames": 10.0} | wrong)


@pytest.mark.parametrize("law", BRIGHTNESS)
def test_each_brightness_has_its_mean(law: str) -> None:
    drawn = BRIGHTNESS[law](20_000, 700.0, np.random.default_rng(1))
    assert drawn.mean() == pytest.approx(700, rel=0.03)
    assert (drawn >= 0).all()


def test_same_seed_same_bytes() -> None:
    first, second = (Scene(SMALL, Camera(), np.random.default_rng(3)) for _ in range(2))
    for _ in range(3):
        np.testing.assert_array_equal(first.picture()[0], second.picture()[0])


@pytest.mark.parametrize("structure", STRUCTURES)
def test_every_structure_stays_inside_the_field_and_has_its_density(structure: str) -> None:
    scene = Scene(replace(SMALL, structure=structure), Camera(), np.random.default_rng(2))
    assert ((scene.positions_nm[:, :2] >= 0) & (scene.positions_nm[:, :2] <= (6400, 4800))).all()
    photons = np.mean([scene.picture()[1]["photons"].sum() for _ in range(200)])
    assert photons == pytest.approx(0.5 * 6.4 * 4.8 * SMALL.photons, rel=0.15)


@pytest.mark.parametrize("structure", STRUCTURES)
def test_structures_fill_the_depth_and_no_more(structure: str) -> None:
    flat, deep = (STRUCTURES[structure](3000, Field(8000, 8000, d), np.random.default_rng(2)) for d in (0, 1000))
    assert (flat[:, 2] == 0).all()
    assert np.abs(deep[:, 2]).max() <= 500
    assert np.ptp(deep[:, 2]) > 400


@pytest.mark.parametrize(
    "optics", [{"psf": "gaussian"}, {"psf": "vectorial"}, {"depth_nm": 800.0, "mask": "astigmatism"}]
)
def test_pictures_hold_background_and_the_emitters_where_the_truth_says(optics: dict[str, object]) -> None:
    settings = replace(
        SMALL, photons=50_000, density_per_um2=0.02, structure="uniform", on_frames=1000, duty_cycle=0.5,
        **{"psf": "vectorial"} | optics,
    )  # fmt: skip
    camera = Camera(offset_adu=100)
    scene = Scene(settings, camera, np.random.default_rng(5))
    pixels, truth = scene.picture()
    electrons = camera.photo_electrons(pixels)
    assert np.median(electrons) > settings.background - 3
    ix, iy = (truth[name].astype(int) // 100 for name in ("x_nm", "y_nm"))
    bright = truth["photons"] > 10_000
    assert bright.any()
    least = 0.02 if not settings.depth_nm else 0.004
    assert (electrons[np.clip(iy, 0, 47), np.clip(ix, 0, 63)][bright] > least * truth["photons"][bright]).all()


def test_drift_is_in_the_truth_and_on_the_picture() -> None:
    drift = Drift(steady_nm=(5.0, -3.0, 0.0), walk_nm=4.0, seed=9)
    still = replace(SMALL, structure="uniform", on_frames=1e6, duty_cycle=0.5, density_per_um2=0.1, photons=5000)
    scene = Scene(replace(still, drift=drift), Camera(), np.random.default_rng(1))
    truths = [scene.picture()[1] for _ in range(60)]
    curve = drift.curve(60)
    for (before, after), (here, there) in zip(pairwise(truths), pairwise(curve), strict=True):
        np.testing.assert_allclose(after["x_nm"] - before["x_nm"], there[0] - here[0], atol=1e-3)
    np.testing.assert_allclose(curve[-1, :2], (5 * 59, -3 * 59), atol=4 * 4 * 59**0.5)
    np.testing.assert_array_equal(drift.curve(10), curve[:10])
    np.testing.assert_array_equal(scene.drift_nm(9000), drift.curve(9001)[-1])


def test_a_structure_comes_from_a_file(tmp_path) -> None:
    positions = np.array([[1000.0, 2000, 50], [3000, 1000, -50]])
    np.save(tmp_path / "s.npy", positions)
    (tmp_path / "s.csv").write_text("id,y_nm,x_nm,z_nm\n1,2000,1000,50\n2,1000,3000,-50\n")
    for name in ("s.npy", "s.csv"):
        np.testing.assert_array_equal(read_structure(tmp_path / name), positions)
    scene = Scene(replace(SMALL, structure=str(tmp_path / "s.npy"), depth_nm=200), Camera(), np.random.default_rng(1))
    np.testing.assert_array_equal(scene.positions_nm, positions)


@pytest.mark.parametrize(
    "content", [None, b"", b"frame,intensity\n1,2\n", b"x_nm,y_nm\nred,2\n", b"x_nm,y_nm\n1,nan\n"]
)
def test_a_file_without_a_structure(tmp_path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "s.csv").write_bytes(content)
    with pytest.raises(ValueError, match=r"s\.csv"):
        read_structure(tmp_path / "s.csv")


def test_each_colour_has_its_own_emitters_and_spots() -> None:
    """Longer light makes wider spots; the picture of both is that of each alone."""
    dyes = (Dye(450.0, 0.0), Dye(750.0, 0.0))
    settings = replace(SMALL, psf="vectorial", density_per_um2=2.0, photons=4000.0, background=0.0, dyes=dyes)
    scene = Scene(settings, Camera(), np.random.default_rng(1))
    assert np.bincount(scene.channel).min() > 0.49 * len(scene.channel)
    short, long = (np.asarray(spot(np.zeros((1, 3))))[0] for spot in settings.spots())
    assert short.max() > 2 * long.max()
    _, truth = scene.picture()
    assert set(truth["channel"]) == {0, 1}
    where, photons = (np.column_stack([truth[f"{axis}_nm"] for axis in "xyz"]), np.asarray(truth["photons"]))
    channel, shape = np.asarray(truth["channel"]), (1, 48, 64)
    expected = sum(
        render(spot, where[channel == k], photons[channel == k], np.zeros((channel == k).sum(), int), shape)[0]
        for k, spot in enumerate(settings.spots())
    )
    assert scene._light(where, photons, channel) == pytest.approx(expected, abs=1e-3)


def test_one_colour_is_drawn_as_without() -> None:
    settings = replace(SMALL, psf="vectorial")
    alone = Scene(settings, Camera(), np.random.default_rng(1))
    assert "channel" not in alone.picture()[1]
    assert set(alone.channel) == {0}
