"""Whole runs on the simulated sample: the number is held while it bleaches, a dry run sets nothing, a cap stops."""

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stream.books.json_lines import ACTIONS
from stream.config import Rig, validate
from stream.engines import open_engine
from stream.errors import RigError, SourceFault
from stream.links.subscriber import subscribe
from stream.outcome import Outcome
from stream.pipeline import Pipeline
from stream.readers.tables import read_table
from stream.zoo import find
from tests.stream.view import View

LASER = {"device": "laser", "property": "power"}


class Killer(View):
    """Kills the source process as soon as it hears that frames are analysed."""

    def report(self, health: dict) -> None:
        for child in active_children():
            if child.name == "livesmlm-source" and health["ledger"]["analysed"]:
                child.kill()


def rig_of(frames: int | None, source: dict | None = None, **sections: dict) -> Rig:
    scene = {
        "kind": "simulated", "width_px": 64, "height_px": 64, "frames": frames, "frames_per_s": "max",
        "structure": "uniform", "psf": "gaussian", "photons": 2000, "density_per_um2": 0.15, "duty_cycle": 0.0008,
        "on_frames": 1.0, "bleach_frames": 1.0,
    }  # fmt: skip
    return validate(
        {
            "camera": {"pixel_size_nm": 100, "gain_e_per_adu": 0.5},
            "source": scene | (source or {}),
            "model": {"name": "localizer-2d"},
            "engine": {"threads": 1},
            "policy": {"batch_frames": 4, "ring_mb": 0.07},
            "publish": {"address": "tcp://127.0.0.1:*", "snapshot_address": "tcp://127.0.0.1:*"},
            **sections,
        },
        "test",
    )


def run(
    rig: Rig, folder: Path, frames: int | None = None, view: View | None = None
) -> tuple[Outcome, list, dict, View]:
    """The outcome, the lines of actions.jsonl, run.json, and what was said."""
    view = view or View()
    outcome = Pipeline(rig, folder, view, frames).run(open_engine(find(rig.model.name), rig.engine))
    lines = (folder / ACTIONS).read_text().splitlines() if (folder / ACTIONS).exists() else []
    return outcome, [json.loads(line) for line in lines], json.loads((folder / "run.json").read_text()), view


def test_the_number_is_held_within_ten_percent_while_nine_in_ten_bleach(tmp_path: Path) -> None:
    truth, frames, wanted = tmp_path / "truth.csv", 1300, 20
    activation = {"mode": "on", **LASER, "molecules": wanted, "maximum": 100, "start": 0.9, "every_frames": 20}
    rig = rig_of(frames, {"truth": str(truth), "density_per_um2": 0.3}, activation=activation)
    outcome, actions, told, view = run(rig, tmp_path / "out")
    assert outcome.error is None
    shone = read_table(truth)
    places = np.round(np.column_stack((shone["x_nm"], shone["y_nm"])), 2)
    emitters = round(0.3 * 6.4**2 / 0.0008)
    assert len(np.unique(places, axis=0)) > 0.9 * emitters
    counts = np.bincount(read_table(tmp_path / "out" / "table.parquet")["frame"], minlength=frames)
    for part in np.array_split(counts, 4):
        assert part.mean() == pytest.approx(wanted, rel=0.1)
    changes = [action for action in actions if action["kind"] == "change"]
    assert changes[-1]["new"] > 4 * changes[0]["new"]
    assert all(action["read_back"] == action["new"] for action in actions)
    assert all(action["frames"] >= 20 for action in changes)
    assert (actions[0]["kind"], actions[-1]["kind"], actions[-1]["new"]) == ("start", "after", 0)
    assert told["steering"]["last"] == actions[-1]
    assert told["steering"]["actions"] == {"start": 1, "change": len(changes), "after": 1}
    assert not any("activation" in text for text in view.warnings)


def test_a_dry_run_sets_nothing(tmp_path: Path) -> None:
    activation = {"mode": "dry-run", **LASER, "molecules": 20, "maximum": 100, "start": 1, "every_frames": 30}
    dry, off, on = ({"truth": str(tmp_path / f"{name}.csv")} for name in ("dry", "off", "on"))
    _, actions, _, _ = run(rig_of(150, dry, activation=activation), tmp_path / "dry")
    _, nothing, told, _ = run(rig_of(150, off), tmp_path / "off")
    run(rig_of(150, on, activation=activation | {"mode": "on"}), tmp_path / "on")
    sample = {name: (tmp_path / f"{name}.csv").read_bytes() for name in ("dry", "off", "on")}
    assert sample["dry"] == sample["off"] != sample["on"]
    assert len(actions) >= 4
    assert all(action["dry_run"] and action["read_back"] is None for action in actions)
    assert (nothing, told["steering"]["mode"]) == ([], "off")


def test_at_the_maximum_the_run_stops_as_told_and_every_frame_is_analysed(tmp_path: Path) -> None:
    activation = {"mode": "on", **LASER, "molecules": 500, "maximum": 2, "start": 1.9, "every_frames": 20}
    rig = rig_of(100_000, activation=activation, stop={"at_maximum_frames": 60})
    outcome, actions, told, view = run(rig, tmp_path)
    assert (outcome.state, outcome.exit_code) == ("finished", 0)
    totals = outcome.health["ledger"]
    assert totals["received"] == totals["analysed"] < 400
    assert [action["kind"] for action in actions] == ["start", "maximum", "stop", "after"]
    assert "at_maximum_frames = 60 is reached" in told["steering"]["stopped"]
    assert sum("laser.power has reached its maximum 2" in text for text in view.warnings) == 1
    assert any("at_maximum_frames" in text for text in told["warnings"])


def actions_at(address: str, snapshots: str, *reports: dict[str, Any]) -> list[dict[str, Any]]:
    """What a subscriber, who has something to report itself, gets of the topic."""
    with subscribe(address, snapshots, topics=("action",)) as messages:
        for report in reports:
            messages.report(report)
        return [message.header for message in messages if message.topic == "action"]


@pytest.fixture
def publish() -> dict[str, Any]:
    """`[publish]` at free ports, for a run that waits for one subscriber."""
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0)), two.bind(("127.0.0.1", 0))
        address, snapshots = (f"tcp://127.0.0.1:{s.getsockname()[1]}" for s in (one, two))
    return {"address": address, "snapshot_address": snapshots, "subscribers": 1}


def test_what_others_did_with_the_picture_is_in_the_record(tmp_path: Path, publish: dict[str, Any]) -> None:
    report = {"kind": "picture", "frame": 3, "why": "follows the image at time 3", "dry_run": True}
    with ThreadPoolExecutor(1) as pool:
        heard = pool.submit(actions_at, publish["address"], publish["snapshot_address"], report)
        _, actions, told, _ = run(rig_of(150, publish=publish), tmp_path)
        headers = heard.result(timeout=30)
    assert [{name: action[name] for name in report} for action in actions] == [report]
    assert [header["why"] for header in headers] == [report["why"]]
    assert told["steering"]["actions"] == {"picture": 1}


def test_actions_are_published_as_they_are_written(tmp_path: Path, publish: dict[str, Any]) -> None:
    activation = {"mode": "on", **LASER, "molecules": 12, "maximum": 100, "start": 1, "every_frames": 20}
    with ThreadPoolExecutor(1) as pool:
        heard = pool.submit(actions_at, publish["address"], publish["snapshot_address"])
        _, actions, _, _ = run(rig_of(150, activation=activation, publish=publish), tmp_path)
        headers = heard.result(timeout=30)
    assert len(actions) >= 3
    assert [{name: header[name] for name in actions[0]} for header in headers] == actions
    assert [header["sequence"] for header in headers] == list(range(len(actions)))


def test_a_source_that_is_killed_leaves_its_laser_on_and_that_is_said(tmp_path: Path) -> None:
    activation = {"mode": "on", **LASER, "molecules": 12, "maximum": 100, "start": 1, "every_frames": 20}
    outcome, actions, told, view = run(rig_of(None, activation=activation), tmp_path, view=Killer())
    assert isinstance(outcome.error, SourceFault)
    assert (actions[-1]["kind"], actions[-1]["read_back"]) == ("fault", None)
    assert "source process is gone and could not set laser.power = 0" in actions[-1]["why"]
    assert any("source process is gone" in text for text in view.warnings)
    assert told["steering"]["last"] == actions[-1]


def test_so_many_localizations_are_enough_without_any_laser(tmp_path: Path) -> None:
    outcome, actions, told, _ = run(rig_of(100_000, stop={"localizations": 300}), tmp_path)
    assert outcome.state == "finished"
    assert 300 <= outcome.health["localizations"] < 1000
    assert [action["kind"] for action in actions] == ["stop"]
    assert told["steering"]["stopped"].endswith("[stop] localizations = 300 is reached")


def test_a_device_that_is_not_there_ends_the_loop_and_the_run_goes_on(tmp_path: Path) -> None:
    activation = {"mode": "on", "device": "405", "property": "power", "molecules": 10, "maximum": 100}
    outcome, actions, _, view = run(rig_of(None, activation=activation), tmp_path, frames=60)
    assert (outcome.state, outcome.health["ledger"]["analysed"]) == ("finished", 60)
    assert [action["kind"] for action in actions] == ["fault", "fault"]  # at the start, and what is left behind
    assert sum("has no 405.power" in text for text in view.warnings) == 2


def test_a_source_without_devices_is_refused_before_the_first_frame(tmp_path: Path) -> None:
    np.save(tmp_path / "stack.npy", np.zeros((4, 64, 64), np.uint16))
    activation = {"mode": "on", **LASER, "molecules": 10, "maximum": 100}
    rig = rig_of(4, activation=activation).model_copy(
        update={"source": validate({"camera": {"pixel_size_nm": 100}, "source": {
            "kind": "replay", "path": str(tmp_path / "stack.npy")}}, "test").source}
    )  # fmt: skip
    with pytest.raises(RigError, match=r"laser\.power, but this source has no devices"):
        run(rig, tmp_path / "out")
