"""Whole runs on Micro-Manager: live as good as replayed, the rig that ships, what `check` says."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import tifffile

from models.metrics import Rules
from stream import config
from stream.books.ledger import Ledger
from stream.commands.score import score_files
from stream.opening import source_of
from tests.stream.commands.conftest import ROOT
from tests.stream.sources.micro_manager import Server, configuration

FRAMES = 60
RIG = """
[camera]
pixel_size_nm = 100
offset_adu = 100
gain_e_per_adu = 0.5
[model]
name = "localizer-2d"
[engine]
threads = 1
[publish]
address = "tcp://127.0.0.1:*"
[source]
"""
SIMULATED = 'kind = "simulated"\nwidth_px = 64\nheight_px = 64\ndensity_per_um2 = 0.3\nstructure = "uniform"\n'


@pytest.fixture
def recorded(livesmlm, tmp_path: Path) -> Path:
    """A stack of blinking emitters, with its truth beside it."""
    (tmp_path / "simulated.toml").write_text(RIG + SIMULATED)
    made = livesmlm(
        "simulate", "--rig", tmp_path / "simulated.toml", "--frames", FRAMES,
        "--out", tmp_path / "stack.tif", "--truth", tmp_path / "truth.csv",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    np.save(tmp_path / "stack.npy", tifffile.imread(tmp_path / "stack.tif", key=range(FRAMES)))
    return tmp_path / "stack.tif"


@pytest.fixture
def server(recorded: Path) -> Iterator[Server]:
    """A camera in Python, in a real core, that shows these frames, over the bridge."""
    server = Server("--stack", recorded.with_name("stack.npy"), "--exposure-ms", 10)
    yield server
    server.kill()


def test_live_localizations_are_those_of_the_same_frames_replayed(livesmlm, server, recorded, tmp_path):
    rig = tmp_path / "rig.toml"
    rig.write_text(RIG + f'kind = "micromanager"\nbackend = "bridge"\nport = {server.port}\ncounter_tag = "Picture"\n')
    live = livesmlm("run", rig, "--frames", FRAMES, "--out", tmp_path / "live", "--no-page")
    replayed = livesmlm("replay", recorded, "--rig", rig, "--out", tmp_path / "replayed", "--no-page")
    assert (live.returncode, replayed.returncode) == (0, 0), live.stderr + replayed.stderr
    ledger = Ledger.read(tmp_path / "live" / "ledger.json")
    assert ledger.analysed.to_list() == [(0, FRAMES - 1)]
    assert ledger.check() == []
    one, other = (
        score_files(tmp_path / run / "locs.csv", tmp_path / "truth.csv", Rules()) for run in ("live", "replayed")
    )
    assert one.jaccard > 0.7
    assert one.jaccard == other.jaccard
    assert one.rmse_lateral_nm == pytest.approx(other.rmse_lateral_nm, rel=1e-6)
    run = json.loads((tmp_path / "live" / "run.json").read_text())
    assert run["stream"]["camera"]["camera"] == "Camera"
    assert run["versions"]["pycromanager"].startswith("1.")


def test_the_rig_that_ships_opens_the_demo_camera():
    rig = config.read(ROOT / "stream" / "micromanager.toml")
    with closing(source_of(rig)) as source:
        info = source.open()
    assert (info.height_px, info.width_px, info.exposure_ms) == (256, 256, 20)
    assert info.pixel_size_nm == pytest.approx(rig.camera.pixel_size_nm)


def test_check_tells_devices_rate_and_buffer(livesmlm, tmp_path):
    (tmp_path / "rig.toml").write_text(RIG + 'kind = "micromanager"\nconfig_file = "camera.cfg"\n')
    configuration(tmp_path, exposure_ms=20)
    checked = livesmlm("check", tmp_path / "rig.toml", "--json")
    assert checked.returncode in (0, 3), checked.stderr
    found = json.loads(checked.stdout)
    assert found["camera"]["devices"]["Camera"] == "DemoCamera, Demo camera"
    assert 5 < found["camera_frames_per_s"] <= 51
    assert found["buffer_s"] == pytest.approx(found["camera"]["buffer_frames"] / found["camera_frames_per_s"], rel=0.01)
    assert found["headroom"] > 0


def test_a_micro_manager_that_is_not_there_is_named(livesmlm, tmp_path):
    (tmp_path / "rig.toml").write_text(RIG + 'kind = "micromanager"\nbackend = "bridge"\nport = 1\n')
    ran = livesmlm("run", tmp_path / "rig.toml", "--out", tmp_path / "out", "--no-page")
    assert ran.returncode == 3
    assert "nothing listens at port 1 of this computer" in ran.stderr
    assert "Run server on port" in ran.stderr
