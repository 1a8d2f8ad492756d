"""Whole runs on a simulated sample that drifts: the picture is corrected, the tables are not touched."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

from stream.config import Rig, validate
from stream.drift.curve import Curve
from stream.drift.files import FRAMES, KNOTS
from stream.engines import open_engine
from stream.errors import RigError
from stream.outcome import Outcome
from stream.picture.render import Renderer
from stream.pipeline import Pipeline
from stream.readers.tables import read_table
from stream.sinks.zmq_out import ZmqOut
from stream.zoo import find
from tests.stream.drift.samples import errors
from tests.stream.feedback.test_runs import View

COUNT = 600
DRIFT_NM = (0.25, -0.15, 0.0)


def rig_of(**drift: object) -> Rig:
    scene = {
        "kind": "simulated", "width_px": 64, "height_px": 64, "frames": COUNT, "frames_per_s": "max",
        "structure": "rings", "psf": "gaussian", "photons": 2000, "density_per_um2": 0.25, "on_frames": 2.0,
        "drift_nm_per_frame": DRIFT_NM,
    }  # fmt: skip
    return validate(
        {
            "camera": {"pixel_size_nm": 100, "gain_e_per_adu": 0.5},
            "source": scene,
            "model": {"name": "localizer-2d"},
            "engine": {"threads": 1},
            "drift": drift,
            "publish": {"address": "tcp://127.0.0.1:*", "snapshot_address": "tcp://127.0.0.1:*"},
        },
        "test",
    )


@pytest.fixture
def published(monkeypatch) -> list[dict]:
    """The headers of topic `drift`, as they leave."""
    heard: list[dict] = []
    send = ZmqOut.drift
    monkeypatch.setattr(ZmqOut, "drift", lambda self, content: (heard.append(dict(content)), send(self, content)))
    return heard


def run(rig: Rig, folder: Path) -> tuple[Outcome, dict, View]:
    view = View()
    outcome = Pipeline(rig, folder, view).run(open_engine(find(rig.model.name), rig.engine))
    return outcome, json.loads((folder / "run.json").read_text()), view


def curve_in(folder: Path) -> Curve:
    knots = np.genfromtxt(folder / KNOTS, delimiter=",", names=True)
    curve = Curve(deep=False)
    for frame, x, y in zip(knots["frame"], knots["x_nm"], knots["y_nm"], strict=True):
        curve.add(frame, np.array([x, y, 0.0]))
    return curve


@pytest.mark.parametrize("second_pass", [True, False])
def test_the_drift_is_found_and_only_the_picture_is_corrected(tmp_path, published, second_pass):
    rig = rig_of(block_frames=100, second_pass=second_pass)
    outcome, told, view = run(rig, tmp_path / "on")
    run(rig_of(mode="off"), tmp_path / "off")
    assert outcome.error is None
    table, raw = (read_table(tmp_path / name / "table.parquet") for name in ("on", "off"))
    for name in raw:
        np.testing.assert_allclose(table[name], raw[name], rtol=1e-5)  # batches differ
    assert not (tmp_path / "off" / KNOTS).exists()

    curve, true = curve_in(tmp_path / "on"), np.outer(np.arange(COUNT), DRIFT_NM)
    assert errors(curve.at(np.arange(COUNT)), true).max() < 5
    frames = np.loadtxt(tmp_path / "on" / FRAMES, delimiter=" ")
    np.testing.assert_allclose(frames * 100, curve.at(np.arange(COUNT))[:, :2], atol=0.01)

    straight = Renderer(6400, 6400, rig.render)
    straight.add(curve.corrected(table))
    picture = tifffile.imread(tmp_path / "on" / "render.ome.tif")
    off = np.abs(picture - straight.image()).sum() / straight.image().sum()
    assert off < (0.01 if second_pass else 0.1)  # live, what is less than a nanometre out of place stays

    newest = published[-1]
    assert newest["method"] == "aim"
    assert len(newest["frames"]) == len(newest["drift_nm"]) == len(curve) == newest["blocks"]
    np.testing.assert_allclose([xyz[0] for xyz in newest["drift_nm"]], curve.drift_nm[:, 0], atol=0.02)
    assert {xyz[2] for xyz in newest["drift_nm"]} == {None}
    assert (told["drift"]["passes"], told["drift"]["blocks"]) == (1 + second_pass, len(curve))
    assert not any("drift" in text for text in view.warnings)


def test_a_run_too_short_for_a_block_is_drawn_as_it_is(tmp_path, published):
    _, told, _ = run(rig_of(block_frames=1000, min_localizations=100_000), tmp_path)
    assert (published, told["drift"]["blocks"]) == ([], 0)
    straight = Renderer(6400, 6400, rig_of().render)
    straight.add(read_table(tmp_path / "table.parquet"))
    np.testing.assert_allclose(tifffile.imread(tmp_path / "render.ome.tif"), straight.image(), atol=1e-5)


def test_beads_that_are_not_there_are_said(tmp_path):
    drift = {"mode": "fiducials", "fiducials": [[0.0, 6399.0]], "block_frames": 100}
    _, told, view = run(rig_of(**drift), tmp_path)
    assert sum(text.startswith("drift: no bead") for text in view.warnings) == 1
    assert told["drift"]["blocks_without_drift"] == 6
    assert "(0, 6399)" in told["drift"]["remark"]


@pytest.mark.parametrize(
    ("drift", "reason"),
    [
        ({"mode": "fiducials"}, "needs at least one"),
        ({"fiducials": [[1, 2]]}, "mode = 'aim' and 1 fiducials"),
        ({"range_nm": 10}, "range_nm = 10"),
        ({"segmentation": 100}, "is not a field"),
    ],
)
def test_settings_that_cannot_be_followed_are_refused(drift, reason):
    with pytest.raises(RigError, match=reason):
        rig_of(**drift)
