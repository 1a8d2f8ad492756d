"""A scene must return the kinetics, the density and the photons that were put in."""

from dataclasses import replace

import numpy as np
import pytest

from models.camera import Camera
from models.scene import Blinking, Scene, SceneSettings
from models.structures import STRUCTURES

SMALL = SceneSettings(height_px=48, width_px=64, density_per_um2=0.5, psf="gaussian")


def test_blinking_returns_its_duty_cycle_and_on_time() -> None:
    blinking = Blinking(4000, on_frames=3.0, off_frames=27.0, rng=np.random.default_rng(1))
    shares = np.stack([blinking.expose() for _ in range(300)])
    assert shares.mean() == pytest.approx(0.1, rel=0.03)
    # an on-time of mean 3 frames touches 3 + 1 frames on average, and runs merge when an off-time is short
    touched = (shares > 0).mean() / shares.mean()
    assert touched == pytest.approx(4 / 3, rel=0.03)


def test_same_seed_same_bytes() -> None:
    first, second = (Scene(SMALL, Camera(), np.random.default_rng(3)) for _ in range(2))
    for _ in range(3):
        np.testing.assert_array_equal(first.picture()[0], second.picture()[0])


@pytest.mark.parametrize("structure", STRUCTURES)
def test_every_structure_stays_inside_the_field_and_has_its_density(structure: str) -> None:
    scene = Scene(replace(SMALL, structure=structure), Camera(), np.random.default_rng(2))
    inside = (scene.positions_nm >= 0) & (scene.positions_nm <= (6400, 4800))
    assert inside.all()
    photons = np.mean([scene.picture()[1]["photons"].sum() for _ in range(200)])
    assert photons == pytest.approx(0.5 * 6.4 * 4.8 * SMALL.photons, rel=0.15)


@pytest.mark.parametrize("psf", ["gaussian", "vectorial"])
def test_pictures_hold_background_and_the_emitters_where_the_truth_says(psf: str) -> None:
    settings = replace(
        SMALL, psf=psf, photons=50_000, density_per_um2=0.02, structure="uniform", on_frames=1000, duty_cycle=0.5
    )
    camera = Camera(offset_adu=100)
    scene = Scene(settings, camera, np.random.default_rng(5))
    pixels, truth = scene.picture()
    electrons = camera.photo_electrons(pixels)
    assert np.median(electrons) > settings.background - 3
    ix, iy = (truth[name].astype(int) // 100 for name in ("x_nm", "y_nm"))
    bright = truth["photons"] > 10_000
    assert bright.any()
    assert (electrons[np.clip(iy, 0, 47), np.clip(ix, 0, 63)][bright] > 0.02 * truth["photons"][bright]).all()
