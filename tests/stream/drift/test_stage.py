"""The drift of a whole run: the picture is corrected, tables are not, and the curve stands beside them."""

import json
from pathlib import Path

import numpy as np
import pytest

from stream.config import validate
from stream.drift.files import FRAMES, KNOTS, DriftFiles
from stream.drift.settings import DriftSettings
from stream.errors import RigError
from stream.picture.render import Renderer, RenderSettings
from stream.readers.tables import read_table
from stream.stages.drift import DriftWatch
from tests.stream.drift.samples import linear, table
from tests.stream.feedback.test_runs import rig_of, run

LENGTH, SIDE_NM = 1500, 20_000.0


class Heard:
    """A watch on a drifting sample, and what it said."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.true, self.said, self.messages = linear(LENGTH), list[str](), list[dict]()
        self.seen = table(self.true, side_nm=SIDE_NM)
        self.renderer = Renderer(SIDE_NM, SIDE_NM, RenderSettings(colours=()))
        files = DriftFiles(folder, 100.0)
        self.watch = DriftWatch(DriftSettings(**settings), self.renderer, files, self.messages.append, self.said.append)
        frame = np.asarray(self.seen["frame"])
        for first in range(0, LENGTH, 10):
            begin, end = np.searchsorted(frame, (first, first + 10))
            self.watch.hear(self.seen.where(slice(begin, end)), first, first + 9)

    def off(self) -> float:
        """How much the picture differs from one whose drift is known, as a share of all that is drawn."""
        still = Renderer(SIDE_NM, SIDE_NM, RenderSettings(colours=()))
        columns = {name: self.seen[name] for name in self.seen}
        for axis, name in enumerate(("x_nm", "y_nm", "z_nm")):
            columns[name] = columns[name] - self.true[self.seen["frame"], axis]
        still.add(type(self.seen)(columns))
        return float(np.abs(self.renderer.image(2) - still.image(2)).sum() / (2 * still.image(2).sum()))


def test_the_picture_is_corrected_while_it_grows_and_nothing_is_drawn_twice(tmp_path: Path) -> None:
    heard = Heard(tmp_path)
    assert heard.renderer.drawn + heard.renderer.left_out == len(heard.seen)
    assert heard.renderer.image(0).sum() == pytest.approx(heard.renderer.drawn, rel=1e-4)
    assert heard.renderer.image(0).min() >= 0
    assert heard.off() < 0.25
    raw = Renderer(SIDE_NM, SIDE_NM, RenderSettings(colours=()))
    raw.add(heard.seen)
    heard.watch.end()
    heard.watch.refine(lambda: [heard.seen])
    assert heard.renderer.image(0).sum() == pytest.approx(heard.renderer.drawn, rel=1e-4)
    assert heard.off() < 0.25 < np.abs(raw.image(2) - heard.renderer.image(2)).sum() / (2 * raw.image(2).sum())


def test_files_are_good_to_the_last_knot_and_complete_at_the_end(tmp_path: Path) -> None:
    heard = Heard(tmp_path)
    growing = np.loadtxt(tmp_path / FRAMES)
    assert 0 < len(growing) < LENGTH
    heard.watch.end()
    knots = np.loadtxt(tmp_path / KNOTS, delimiter=",", skiprows=1)
    frames = np.loadtxt(tmp_path / FRAMES)
    assert (tmp_path / KNOTS).read_text().startswith("frame,x_nm,y_nm,z_nm\n")
    assert frames.shape == (LENGTH, 3)
    np.testing.assert_allclose(knots[:, 1:], heard.watch.curve.drift_nm, atol=1e-3)
    np.testing.assert_allclose(frames * (100, 100, 1), heard.watch.curve.at(np.arange(LENGTH)), atol=0.01)


def test_messages_have_the_curve_and_not_too_many_knots(tmp_path: Path) -> None:
    heard = Heard(tmp_path, block_frames=20, min_localizations=1)
    message = heard.messages[-1]
    assert message["method"] == "aim"
    assert len(message["frames"]) == len(message["drift_nm"]) <= 500
    assert message["frames"][-1] == pytest.approx(heard.watch.curve.frames[-1], abs=0.1)
    assert message["drift_nm"][0] == [0, 0, 0]
    assert json.dumps(message)


def test_a_run_tells_the_drift_and_leaves_its_table_alone(tmp_path: Path) -> None:
    scene = {"density_per_um2": 1.0, "structure": "filaments"}
    outcome, _, told, _ = run(rig_of(400, scene), tmp_path / "on")
    _, _, untold, _ = run(rig_of(400, scene, drift={"mode": "off"}), tmp_path / "off")
    assert outcome.error is None
    assert (told["drift"]["method"], told["drift"]["passes"]) == ("aim", 2)
    assert told["drift"]["blocks"] >= 5
    assert max(told["drift"]["extent_nm"][:2]) < 5, "the simulated sample stands still"
    assert untold["drift"] == {"method": "off"}
    on, off = (read_table(tmp_path / name / "table.parquet") for name in ("on", "off"))
    for name in off:
        np.testing.assert_allclose(on[name], off[name], rtol=1e-5, err_msg=name)
    assert (tmp_path / "on" / KNOTS).exists()
    assert not (tmp_path / "off" / KNOTS).exists()


def test_beads_belong_to_the_mode_that_looks_at_them() -> None:
    with pytest.raises(RigError, match="needs at least one"):
        validate({"camera": {"pixel_size_nm": 100}, "drift": {"mode": "fiducials"}}, "test")
    with pytest.raises(RigError, match="the other modes have none"):
        validate({"camera": {"pixel_size_nm": 100}, "drift": {"fiducials": [[1, 2]]}}, "test")


def test_a_loss_that_lasts_is_told_once_and_one_block_alone_is_not(tmp_path: Path) -> None:
    heard = Heard(tmp_path)
    assert heard.said == []
    rng = np.random.default_rng(0)
    frame = np.repeat(np.arange(LENGTH, LENGTH + 400), 20)
    x_nm, y_nm, z_nm = rng.uniform(0, SIDE_NM, (3, len(frame)))
    anywhere = type(heard.seen)({"frame": frame, "x_nm": x_nm, "y_nm": y_nm, "z_nm": 0.01 * z_nm, **{
        name: np.full(len(frame), 10.0) for name in ("sigma_x_nm", "sigma_y_nm", "sigma_z_nm")
    }})  # fmt: skip
    heard.watch.hear(anywhere, LENGTH, LENGTH + 399)
    (said,) = heard.said
    assert said.startswith("drift: no drift was found within")
    assert heard.messages[-1]["remark"] in said
