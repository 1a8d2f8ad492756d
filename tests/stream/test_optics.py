"""What `[phase]` leaves out is asked for before the first frame; what it states is what the slow lane starts from."""

import json
from pathlib import Path

import pytest

from stream.config import Rig, validate
from stream.errors import RigError
from stream.optics import phase_task
from stream.zoo import shipped

IN_DEPTH, IN_FOCUS = shipped()["astigmatic-fast"], shipped()["2d-fast"]


def rig(phase: dict, beads: dict | None = None) -> Rig:
    return validate({"camera": {"pixel_size_nm": 100}, "phase": phase, "beads": beads or {}}, "test")


def test_it_starts_from_the_mask_where_the_network_was_trained() -> None:
    task = phase_task(rig({"mode": "molecules", "mask": "astigmatism", "sigma_waves": 0.05}), IN_DEPTH)
    assert (task.mask, task.half_depth_nm, task.height_nm, task.sigma_waves) == ("astigmatism", 650, 650, 0.05)
    assert (task.window_px, task.spot_px) == (23, 33)
    assert task.known().setup.mask is not None


def test_it_starts_from_a_retrieved_pupil(tmp_path: Path) -> None:
    path = tmp_path / "pupil.json"
    path.write_text(json.dumps({"zernike_waves": {"6": 0.12}, "blur_nm": 30.0}))
    task = phase_task(rig({"mode": "molecules", "pupil": str(path), "height_nm": 200}), IN_DEPTH)
    assert (task.zernike_waves, task.blur_nm, task.height_nm) == ({6: 0.12}, 30.0, 200)


@pytest.mark.parametrize("text", ["{}", "[1]", '{"zernike_waves": {"x": 1}, "blur_nm": 0}', "no json", None])
def test_a_file_that_is_no_pupil_is_named(text: str | None, tmp_path: Path) -> None:
    path = tmp_path / "pupil.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(RigError, match=r"pupil\.json.*retrieve"):
        phase_task(rig({"mode": "molecules", "pupil": str(path)}), IN_DEPTH)


def test_a_localizer_without_depth_cannot_be_watched() -> None:
    with pytest.raises(RigError, match="finds no z"):
        phase_task(rig({"mode": "molecules", "mask": "astigmatism"}), IN_FOCUS)


def test_something_must_tell_above_from_below() -> None:
    with pytest.raises(RigError, match="neither mask nor pupil"):
        phase_task(rig({"mode": "molecules"}), IN_DEPTH)


def test_sweeps_must_say_which_way_the_stage_moves() -> None:
    with pytest.raises(RigError, match="focal_plane is not given"):
        phase_task(rig({"mode": "beads"}), IN_DEPTH)
    phase_task(rig({"mode": "beads"}, {"focal_plane": "into-sample"}), IN_DEPTH)
