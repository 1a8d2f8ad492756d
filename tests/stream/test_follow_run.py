"""Whole runs on what another program has written, and on what such a run has recorded."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from stream.books.ledger import COUNTER_GAP, Ledger
from stream.config import Rig, validate
from stream.engines import open_engine
from stream.opening import source_of
from stream.outcome import Outcome
from stream.pipeline import Pipeline
from stream.readers.tables import read_table
from stream.zoo import find
from tests.stream.sources.acquisitions import write_ndtiff
from tests.stream.view import View

FRAMES, LOST = 40, (7, 8)


def rig_of(source: dict[str, Any], **policy: object) -> Rig:
    address = {"address": "tcp://127.0.0.1:*", "snapshot_address": "tcp://127.0.0.1:*"}
    camera = {"pixel_size_nm": 100, "gain_e_per_adu": 0.5}
    plain = {"camera": camera, "source": source, "engine": {"threads": 1}, "publish": address, "policy": policy}
    return validate(plain, "test")


def run(rig: Rig, folder: Path, view: View | None = None) -> Outcome:
    return Pipeline(rig, folder, view or View()).run(open_engine(find(rig.model.name), rig.engine))


def blinking() -> list[tuple[int, np.ndarray]]:
    """Return frames of single molecules with their index; two were not saved."""
    source = source_of(
        rig_of(
            {"kind": "simulated", "width_px": 64, "height_px": 64, "frames": FRAMES, "frames_per_s": "max",
             "structure": "uniform", "density_per_um2": 0.1}
        )
    )  # fmt: skip
    source.open()
    return [(frame.index, frame.pixels) for frame in source.frames() if frame and frame.index not in LOST]


def test_an_ndtiff_dataset_followed_and_recorded_gives_the_same_table_when_it_is_replayed(tmp_path: Path) -> None:
    path = write_ndtiff(tmp_path / "run_1", [({"time": index}, pixels) for index, pixels in blinking()])
    view = View()
    outcome = run(rig_of({"kind": "follow", "path": str(path)}, record=True), tmp_path / "a", view)
    assert (outcome.state, outcome.error) == ("finished", None)
    assert not any("taken for the end" in warning for warning in view.warnings)
    run(rig_of({"kind": "replay", "path": str(tmp_path / "a" / "frames.ome.zarr")}), tmp_path / "b")
    assert len(read_table(tmp_path / "a" / "table.parquet")) > FRAMES
    for name in "ab":
        assert (tmp_path / name / "locs.csv").read_bytes() == (tmp_path / "a" / "locs.csv").read_bytes()
        ledger = Ledger.read(tmp_path / name / "ledger.json")
        assert ledger.analysed.to_list() == [(0, 6), (9, 39)]
        assert ledger.missing[COUNTER_GAP].to_list() == [LOST]


def test_a_folder_without_an_end_ends_with_a_remark_and_a_gap_in_its_numbers_is_in_the_ledger(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for index, pixels in blinking():
        tifffile.imwrite(tmp_path / "images" / f"img_{index:04d}.tif", pixels, photometric="minisblack")
    source, view = {"kind": "follow", "path": str(tmp_path / "images"), "idle_s": 0.5}, View()
    outcome = run(rig_of(source), tmp_path / "out", view)
    assert (outcome.state, outcome.exit_code) == ("finished", 3)
    assert outcome.health["ledger"]["analysed"] == FRAMES - 2
    assert Ledger.read(tmp_path / "out" / "ledger.json").missing[COUNTER_GAP].to_list() == [LOST]
    kept = json.loads((tmp_path / "out" / "run.json").read_text())["warnings"]
    for told in (view.warnings, kept):
        assert sum("for 0.5 s, which was taken for the end" in warning for warning in told) == 1
