"""`livesmlm calibrate-camera`: what it writes is what the rig reads; messages for series that cannot be used."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

from models.camera import Camera
from stream.calibration import camera
from stream.config import CameraSettings

SHAPE = (32, 24)


@pytest.fixture
def stacks(tmp_path: Path) -> dict[float, Path]:
    """Return stacks of 250 frames of an sCMOS by the photons in each."""
    rng = np.random.default_rng(1)
    sensor = Camera(100 + rng.normal(0, 2, SHAPE), rng.uniform(1.6, 2.6, SHAPE), np.exp(rng.normal(0.4, 0.2, SHAPE)))
    made = {}
    for photons in (0.0, 100.0, 400.0, 1600.0, 40_000.0):
        made[photons] = tmp_path / f"light-{photons:.0f}.tif"
        frames = np.stack([sensor.expose(np.full(SHAPE, photons), rng) for _ in range(250)])
        tifffile.imwrite(made[photons], frames, photometric="minisblack")
    return made


def test_what_it_writes_is_what_the_rig_reads(stacks, livesmlm, tmp_path: Path) -> None:
    bright = [word for level in (100.0, 400.0, 1600.0) for word in ("--bright", stacks[level])]
    ran = livesmlm("calibrate-camera", stacks[0.0], *bright, "--out", tmp_path / "maps.npz", "--json")
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert found["gain_e_per_adu"] == pytest.approx(1 / 2.1, rel=0.05)
    assert found["warnings"] == []
    made = camera(CameraSettings(pixel_size_nm=100, maps=tmp_path / "maps.npz"), *SHAPE)
    electrons = made.photo_electrons(tifffile.imread(stacks[400.0])).mean(0)
    np.testing.assert_allclose(electrons, 400, rtol=0.25)
    assert electrons.std() < 40  # the gains differ by 13 % from pixel to pixel
    again = livesmlm("calibrate-camera", stacks[0.0], *bright, "--out", tmp_path / "maps.npz")
    assert again.returncode == 2
    assert "exists already" in again.stderr


def test_messages_for_what_cannot_be_used(stacks, livesmlm, tmp_path: Path) -> None:
    exchanged = livesmlm("calibrate-camera", stacks[100.0], "--bright", stacks[0.0], "--out", tmp_path / "m.npz")
    assert exchanged.returncode == 2
    assert "dark and light are not exchanged" in exchanged.stderr
    saturated = livesmlm("calibrate-camera", stacks[0.0], "--bright", stacks[40_000.0], "--out", tmp_path / "m.npz")
    assert saturated.returncode == 2
    assert "reach the end of the scale, 65535 ADU" in saturated.stderr
    gone = livesmlm("calibrate-camera", tmp_path / "gone.tif", "--bright", stacks[100.0])
    assert gone.returncode == 2
    assert "gone.tif" in gone.stderr
    assert not (tmp_path / "m.npz").exists()
