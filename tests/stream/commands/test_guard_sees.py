"""A run on data as the model learned them, and on data with other optics: what the guard makes of it, end to end."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models.camera import Camera
from models.localizations import OUTSIDE
from models.optics.objective import Objective
from models.scenes.scene import Scene
from models.scenes.settings import SceneSettings
from stream.readers.tables import read_table

FRAMES, SIDE_PX = 160, 96
RIG = """
[camera]
pixel_size_nm = 100
offset_adu = 100
gain_e_per_adu = 0.5
read_noise_e = 1.5
[optics]
sample_index = 1.518
[model]
name = "astigmatic-fast"
[engine]
threads = 1
[publish]
address = "tcp://127.0.0.1:*"
"""


def recorded(path: Path, **optics: dict[int, float]) -> Path:
    """Write frames of a sample in depth behind an astigmatic lens."""
    settings = SceneSettings(
        height_px=SIDE_PX, width_px=SIDE_PX, structure="uniform", depth_nm=1200, density_per_um2=0.25, duty_cycle=0.01,
        photons=2000, background=10, mask="astigmatism", objective=Objective(sample_index=1.518), **optics,
    )  # fmt: skip
    camera = Camera(offset_adu=100, gain_adu_per_e=2.0, read_noise_e=1.5)
    scene = Scene(settings, camera, np.random.default_rng(1))
    np.save(path, np.stack([scene.picture()[0] for _ in range(FRAMES)]))
    return path


@pytest.fixture
def replayed(tmp_path: Path, rig: Callable[..., Path], livesmlm: Callable) -> Callable[[Path], Path]:
    def replay(stack: Path) -> Path:
        out = tmp_path / "out"
        ran = livesmlm("replay", stack, "--rig", rig(text=RIG), "--out", out, "--no-page")
        assert ran.returncode == 0, ran.stderr
        return out

    return replay


def test_data_like_those_of_the_training_are_inside(tmp_path: Path, replayed: Callable[[Path], Path]) -> None:
    out = replayed(recorded(tmp_path / "stack.npy"))
    guard = json.loads((out / "run.json").read_text())["guard"]
    assert [one["word"] for one in guard] == ["inside"]
    assert guard[0]["last_frame"] == FRAMES - 1
    assert not (np.asarray(read_table(out / "table.parquet")["flags"]) & OUTSIDE).any()


def test_coma_is_named_and_what_was_located_with_it_flagged(tmp_path: Path, replayed: Callable[[Path], Path]) -> None:
    out = replayed(recorded(tmp_path / "stack.npy", zernike_waves={8: 0.08}))
    guard = json.loads((out / "run.json").read_text())["guard"]
    assert guard[-1]["word"] == "outside"
    assert "coma along x" in guard[-1]["cause"]
    assert "retrieve" in guard[-1]["remedy"]
    table = read_table(out / "table.parquet")
    flagged = (np.asarray(table["flags"]) & OUTSIDE) > 0
    frame = np.asarray(table["frame"])
    assert flagged[frame == FRAMES - 1].all()
    assert not flagged[frame < guard[0]["first_frame"]].any()
    logged = [json.loads(line) for line in (out / "guard.jsonl").read_text().splitlines()]
    assert logged[-1]["verdict"] == "outside"
