"""Whole runs: estimates are published, written and told, and a run ends at the resolution that was wanted."""

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stream.books.json_lines import ACTIONS, RESOLUTION
from stream.config import Rig, validate
from stream.engines import open_engine
from stream.links.subscriber import subscribe
from stream.outcome import Outcome
from stream.pipeline import Pipeline
from stream.quality import live
from stream.readers.tables import read_table
from stream.zoo import find
from tests.stream.view import View


class Killer(View):
    """Kills the process that measures once frames are analysed."""

    def report(self, health: dict) -> None:
        for child in active_children():
            if child.name == "livesmlm-resolution" and health["ledger"]["analysed"]:
                child.kill()


def rig_of(frames: int, **sections: dict) -> Rig:
    scene = {
        "kind": "simulated", "width_px": 64, "height_px": 64, "frames": frames, "frames_per_s": "max",
        "structure": "uniform", "psf": "gaussian", "photons": 2000, "density_per_um2": 0.4, "duty_cycle": 0.02,
        "on_frames": 2.0,
    }  # fmt: skip
    return validate(
        {
            "camera": {"pixel_size_nm": 100, "gain_e_per_adu": 0.5},
            "source": scene,
            "model": {"name": "localizer-2d"},
            "engine": {"threads": 1},
            "resolution": {"mode": "on", "every_s": 0.1, "block_frames": 20},
            "publish": {"address": "tcp://127.0.0.1:*", "snapshot_address": "tcp://127.0.0.1:*"},
            **sections,
        },
        "test",
    )


def run(rig: Rig, folder: Path, view: View | None = None) -> tuple[Outcome, list[dict], dict, View]:
    """The outcome, the lines of resolution.jsonl, run.json, and what was said."""
    view = view or View()
    outcome = Pipeline(rig, folder, view).run(open_engine(find(rig.model.name), rig.engine))
    lines = (folder / RESOLUTION).read_text().splitlines() if (folder / RESOLUTION).exists() else []
    return outcome, [json.loads(line) for line in lines], json.loads((folder / "run.json").read_text()), view


def heard_at(address: str, snapshots: str) -> list[dict[str, Any]]:
    with subscribe(address, snapshots, topics=("resolution",)) as messages:
        return [message.header for message in messages if message.topic == "resolution"]


def test_estimates_are_published_as_they_are_written_and_the_last_is_of_all(tmp_path: Path) -> None:
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0)), two.bind(("127.0.0.1", 0))
        address, snapshots = (f"tcp://127.0.0.1:{s.getsockname()[1]}" for s in (one, two))
    publish = {"address": address, "snapshot_address": snapshots, "subscribers": 1}
    with ThreadPoolExecutor(1) as pool:
        heard = pool.submit(heard_at, address, snapshots)
        outcome, estimates, told, view = run(rig_of(600, publish=publish), tmp_path)
        headers = heard.result(timeout=60)
    assert (outcome.state, outcome.exit_code) == ("finished", 0)
    assert [{name: header[name] for name in estimates[0]} for header in headers] == estimates
    last = estimates[-1]
    assert told["resolution"] == last
    assert (last["frame"], last["localizations"]) == (599, outcome.health["localizations"])
    assert last["not_measured"] == 0
    assert 15 < last["frc_nm"] < 150
    sigma_nm = np.median(read_table(tmp_path / "table.parquet")["sigma_x_nm"])
    assert 0.6 * sigma_nm < last["nena_nm"] < 1.1 * sigma_nm  # what is wrong each time alike is not seen
    assert last["subpixel"]["flat"] in (True, False)
    assert (outcome.health["resolution_nm"], outcome.health["precision_nm"]) == (last["frc_nm"], last["nena_nm"])
    assert not any("resolution" in text for text in view.warnings)


def test_a_run_ends_at_the_resolution_that_was_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "REST", 0.0)
    rig = rig_of(100_000, stop={"resolution_nm": 400})
    outcome, estimates, told, _ = run(rig, tmp_path)
    assert (outcome.state, outcome.exit_code) == ("finished", 0)
    totals = outcome.health["ledger"]
    assert totals["received"] == totals["analysed"] < 50_000
    (action,) = [json.loads(line) for line in (tmp_path / ACTIONS).read_text().splitlines()]
    assert action["kind"] == "stop"
    assert action["why"].endswith("[stop] resolution_nm = 400 is reached")
    assert told["steering"]["stopped"] == action["why"]
    fine = [e["frc_nm"] is not None and e["frc_nm"] <= 400 for e in estimates]
    assert any(all(fine[k : k + 3]) for k in range(len(fine) - 2))


def test_a_process_that_is_killed_does_not_end_the_run(tmp_path: Path) -> None:
    outcome, _, told, view = run(rig_of(400), tmp_path, Killer())
    assert (outcome.state, outcome.health["ledger"]["analysed"]) == ("finished", 400)
    assert sum("the process that measures the resolution died" in text for text in view.warnings) == 1
    assert any("resolution died" in text for text in told["warnings"])


def test_off_means_no_file_and_no_word(tmp_path: Path) -> None:
    outcome, estimates, told, _ = run(rig_of(30, resolution={"mode": "off"}), tmp_path)
    assert estimates == []
    assert "resolution" not in told
    assert outcome.health["resolution_nm"] is None
