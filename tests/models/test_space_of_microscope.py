"""The sample space of a rig: what is stated bounds it, what is not stays as it was."""

from pathlib import Path

import pytest

from models.sample_space import LOCALIZER_3D, Range
from models.sample_space_file import read_space, write_space
from models.space_of_microscope import CameraFacts, space_of_microscope

SCMOS = CameraFacts(pixel_size_nm=110, read_noise_e=2.0, em=False)


def test_what_the_rig_states_bounds_the_space_and_the_rest_is_as_usual() -> None:
    space = space_of_microscope(SCMOS, (-450, 550))
    assert (space["pixel_size_nm"].low, space["pixel_size_nm"].high) == pytest.approx((107.8, 112.2))
    assert space["z_nm"] == Range(-450, 550)
    assert 2.0 in space["read_noise_e"]
    assert 3 * 2.0 not in space["read_noise_e"]
    assert space.number("em_share") == 0
    kept = set(LOCALIZER_3D.fields) - {"pixel_size_nm", "z_nm", "read_noise_e", "em_share"}
    assert all(space.fields[name] == LOCALIZER_3D.fields[name] for name in kept)


def test_behind_an_em_register_every_sample_is() -> None:
    space = space_of_microscope(CameraFacts(100, 0.25, em=True), (-600, 600))
    assert space.number("em_share") == 1
    assert space["read_noise_e"] == Range(0, 0.5)  # what is drawn, whatever is stated


def test_a_camera_without_read_noise_has_a_space() -> None:
    assert space_of_microscope(CameraFacts(100, 0.0, em=False), (-600, 600))["read_noise_e"].low == 0


def test_what_is_written_is_read(tmp_path: Path) -> None:
    space, path = space_of_microscope(SCMOS, (-450, 550)), tmp_path / "space.toml"
    write_space(path, space)
    assert read_space(path, LOCALIZER_3D)[0] == space
