"""What the guard says goes into every book of a run: messages, run.json, the log, alarms, health, the table."""

import json
import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tifffile

import stream
from models.guard.molecules.mean_residual import MeanResidual
from models.guard.verdict import Finding, verdict
from models.localizations import OUTSIDE, REFINED, Localizations
from stream import pipeline, zoo
from stream.books.story import read_story
from stream.config import validate
from stream.engines import open_engine
from stream.errors import EngineFault
from stream.frame import Batch
from stream.pipeline import Pipeline
from stream.readers.tables import read_table
from stream.review import Review
from stream.stages.stage import Located, Stage
from tests.stream.test_alarms_in_a_run import Listener, free_addresses

FRAMES, DRIFTS_AT, OUTSIDE_AT, BACK_AT = 240, 60, 120, 200
DENSE = Finding("density", "drifting", "too dense: 3 molecules/µm²", "less activation")
GAIN = Finding("gain", "outside", "gain is 0.70 times what the rig says", "livesmlm calibrate-camera", 3.0)
AT = {0: [], DRIFTS_AT: [DENSE], OUTSIDE_AT: [DENSE, GAIN], BACK_AT: []}


def mean_residual(frame: int) -> MeanResidual:
    """Return pictures that tell which of them they are."""
    images = np.full((4, 5, 13, 13), frame, np.float32)
    images[:, 0] = np.nan
    return MeanResidual(images, (-520.0, -260.0, 0.0, 260.0, 520.0), (3.0, 80.0, 90.0, 80.0, 40.0), 100.0)


class ByFrame:
    """A guard that finds what it is told to, from given frames on; it fails at a frame if one is given."""

    def __init__(self, stage: Stage, fails_at: int | None = None) -> None:
        self._stage, self._fails_at, self._molecules = stage, fails_at, 0
        self._at = dict(AT)
        self._says_outside_from: list[tuple[int, bool]] = []

    @property
    def look_ahead_frames(self) -> int:
        return self._stage.look_ahead_frames

    def process(self, batch: Batch) -> Located:
        return self._judged(self._stage.process(batch))

    def flush(self) -> Located:
        return self._judged(self._stage.flush())

    def _judged(self, located: Located) -> Located:
        if not len(located.index):
            return located
        last, said = int(located.index[-1]), None
        if self._fails_at is not None and last >= self._fails_at:
            raise EngineFault("the test ends here")
        self._molecules += len(located.table)
        while self._at and min(self._at) <= last:
            first = min(self._at)
            said = verdict(self._at.pop(first), first, self._molecules)
            self._says_outside_from.append((first, said.word == "outside"))
        looks_like = None if said is None else mean_residual(said.frame)
        return replace(located, table=self._flagged(located.table), guard=said, residual=looks_like)

    def _flagged(self, table: Localizations) -> Localizations:
        frame = np.asarray(table["frame"])
        flags = np.zeros(len(table), np.uint32)
        for first, outside in self._says_outside_from:
            flags[frame >= first] = OUTSIDE if outside else 0
        return Localizations({name: table[name] for name in table} | {"flags": flags})


def run(tmp_path, monkeypatch, addresses=("tcp://127.0.0.1:*",) * 2, subscribers=0, fails_at=None):
    def guarded(*arguments: Any) -> Stage:
        stage = make_localizer(*arguments)
        return ByFrame(stage, fails_at) if len(arguments) == 4 else stage  # the one that warms up is another

    make_localizer = pipeline.make_localizer
    monkeypatch.setattr(pipeline, "make_localizer", guarded)
    source = {
        "kind": "simulated", "width_px": 48, "height_px": 48, "frames_per_s": 60, "frames": FRAMES,
        "structure": "uniform", "density_per_um2": 0.3,
    }  # fmt: skip
    publish = dict(zip(("address", "snapshot_address"), addresses, strict=True))
    settings = {
        "camera": {"pixel_size_nm": 100, "gain_e_per_adu": 0.5, "offset_adu": 100}, "source": source,
        "model": {"name": "localizer-2d"}, "engine": {"threads": 1}, "publish": publish | {"subscribers": subscribers},
        "policy": {"batch_frames": 4},
    }  # fmt: skip
    rig, listener = validate(settings, "a test"), Listener()
    outcome = Pipeline(rig, tmp_path / "out", listener).run(open_engine(zoo.find(rig.model.name), rig.engine))
    return listener, outcome, json.loads((tmp_path / "out" / "run.json").read_text())


def test_a_verdict_is_in_every_book(tmp_path, monkeypatch):
    addresses, published = free_addresses(), []

    def follow():
        with stream.subscribe(*addresses, topics=["guard", "residual", "health"], timeout_s=60) as messages:
            published.extend(messages)

    follower = threading.Thread(target=follow)
    follower.start()
    listener, outcome, document = run(tmp_path, monkeypatch, addresses, subscribers=1)
    follower.join(timeout=60)
    assert outcome.state == "finished"
    said = [message.header for message in published if message.topic == "guard"]
    assert [header["verdict"] for header in said] == ["inside", "drifting", "outside", "inside"]
    assert (said[2]["cause"], [one["name"] for one in said[2]["findings"]]) == (GAIN.cause, ["gain", "density"])
    pictures = [message for message in published if message.topic == "residual"]
    for message, frame in zip(pictures, AT, strict=True):
        np.testing.assert_array_equal(message.payload, mean_residual(frame).images)
    assert pictures[0].header["molecules"] == [3, 80, 90, 80, 40]
    written = tifffile.imread(tmp_path / "out" / "guard-residual.ome.tif")
    np.testing.assert_array_equal(written, mean_residual(BACK_AT).images)
    held = [(one["word"], one["first_frame"], one["last_frame"]) for one in document["guard"]]
    assert held == [
        ("inside", 0, DRIFTS_AT - 1), ("drifting", DRIFTS_AT, OUTSIDE_AT - 1), ("outside", OUTSIDE_AT, BACK_AT - 1),
        ("inside", BACK_AT, FRAMES - 1),
    ]  # fmt: skip
    events = [(line["event"], line["level"]) for line in document["alarms"] if line["name"] == "guard"]
    assert events == [("raised", "amber"), ("worse", "red"), ("cleared", "red")]
    assert any(GAIN.cause in text and GAIN.remedy in text for text in listener.warnings)
    table = read_table(tmp_path / "out" / "table.parquet")
    flagged = (np.asarray(table["flags"]) & OUTSIDE) > 0
    frame = np.asarray(table["frame"])
    np.testing.assert_array_equal(flagged, (frame >= OUTSIDE_AT) & (frame < BACK_AT))
    assert document["result"]["outside"] == flagged.sum() > 0
    health = [message.header for message in published if message.topic == "health" and message.header["guard"]]
    assert {header["guard"]["severity"] for header in health} == {0, 1, 2}
    again = read_table(tmp_path / "out" / "locs.hdf5")
    assert not np.any(np.asarray(again["flags"]) & REFINED)
    assert np.count_nonzero(again["flags"]) == pytest.approx(flagged.sum(), rel=0.03), "Picasso takes none at the edge"


def test_what_held_until_a_fault_is_kept(tmp_path, monkeypatch):
    _, outcome, document = run(tmp_path, monkeypatch, fails_at=OUTSIDE_AT + 20)
    assert outcome.state == "fault"
    assert [one["word"] for one in document["guard"]] == ["inside", "drifting", "outside"]
    assert OUTSIDE_AT <= document["guard"][-1]["last_frame"] < OUTSIDE_AT + 20
    lines = [json.loads(line) for line in (tmp_path / "out" / "guard.jsonl").read_text().splitlines()]
    assert [line["verdict"] for line in lines] == ["inside", "drifting", "outside"]
    review = Review(tmp_path / "out")
    review.open()
    review.tell()
    review.close()
    kept = [line for line in read_story(tmp_path / "out") if line.topic == "residual"]
    assert [np.frombuffer(line.payload, "<f4")[-1] for line in kept] == [0, OUTSIDE_AT], "the first and the last"
    assert (tmp_path / "out" / "guard-residual.ome.tif").exists()
