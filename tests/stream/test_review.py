"""A finished run seen again: what a subscriber and the page get of its folder."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from pyarrow import parquet

from models.localizations import empty
from stream.books.story import NAME, Story, read_story
from stream.engines import open_engine
from stream.errors import InputError, TableFormatError
from stream.links.arrow import to_arrow
from stream.links.messages import Message
from stream.links.subscriber import subscribe
from stream.pipeline import Pipeline
from stream.review import BROKEN_OFF, Review
from stream.zoo import find
from tests.stream.feedback.test_runs import View, rig_of

ROOT = Path(__file__).parents[2]
FRAMES = 60


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """The folder of a run."""
    folder = tmp_path_factory.mktemp("runs") / "one"
    rig = rig_of(FRAMES)
    Pipeline(rig, folder, View()).run(open_engine(find(rig.model.name), rig.engine))
    return folder


@pytest.fixture
def copy(finished, tmp_path) -> Path:
    """A copy of it that may be damaged."""
    folder = tmp_path / "copy"
    folder.mkdir()
    for file in finished.iterdir():
        if file.is_file():
            (folder / file.name).write_bytes(file.read_bytes())
    return folder


class Seen(NamedTuple):
    """What a subscriber gets of a folder: the newest header of each topic, the picture's sum, how many were drawn."""

    newest: dict[str, dict]
    localizations: float
    drawn: int


def seen(folder: Path) -> Seen:
    with closing(Review(folder)) as review, ThreadPoolExecutor(1) as pool:
        review.open()
        review.tell()
        drawn = list(review.draw())[-1]
        following = pool.submit(follow, review.out.address, review.out.snapshot_address)
        while not following.done():
            review.out.serve(0.01)
        return Seen(*following.result(), drawn)


def follow(address: str, snapshots: str) -> tuple[dict[str, dict], float]:
    newest, coarsest = {}, (-1, 0.0)
    with subscribe(address, snapshots, timeout_s=20) as run:
        for message in run:
            newest[message.topic] = message.header
            if message.topic == "tile":
                coarsest = max(coarsest, (message.header["level"], float(message.payload.values.sum())))
    return newest, coarsest[1]


def test_a_subscriber_gets_the_run_as_it_was_at_its_end(finished):
    told = json.loads((finished / "run.json").read_text())
    newest, localizations, drawn = seen(finished)
    assert newest["start"]["stream"]["frames"] == FRAMES
    assert newest["start"]["card"] == told["card"]
    assert newest["start"]["run_id"] == told["run_id"]
    assert newest["health"]["state"] == newest["end"]["state"] == "finished"
    assert newest["health"]["localizations"] == told["result"]["localizations"] == drawn > 0
    assert localizations == pytest.approx(drawn, rel=1e-3)


def test_colours_are_there_for_who_asks_later(finished):
    with closing(Review(finished)) as review, ThreadPoolExecutor(1) as pool:
        review.open()
        assert sum(1 for _ in review.draw()) >= 1
        asked = pool.submit(first_tile, review.out.address, review.out.snapshot_address, "layer.photons")
        while not asked.done():
            review.out.serve(0.01)
        assert asked.result().header["layer"] == "photons"


def first_tile(address: str, snapshots: str, topic: str) -> Message:
    with subscribe(address, snapshots, (topic,), timeout_s=20) as run:
        messages = (run.receive(20) for _ in range(1000))
        return next(message for message in messages if message is not None and message.topic == topic)


def test_the_story_has_the_start_the_health_and_the_end(finished):
    lines = list(read_story(finished))
    assert lines[0].topic == "start"
    assert {"health", "end"} <= {line.topic for line in lines}
    assert not {"table", "tile", "frame"} & {line.topic for line in lines}
    assert all(line.header["run_s"] >= 0 for line in lines)


def test_of_what_is_published_often_one_in_ten_seconds_is_kept_and_the_last(tmp_path):
    story = Story(tmp_path, pytest.fail)
    for second in range(25):
        story.keep("health", {"run_s": float(second), "n": second}, b"")
        story.keep("action", {"run_s": float(second)}, b"payload")
        for topic in ("tile", "layer.z", "found", "frame", "sum", "background", "table"):
            story.keep(topic, {"run_s": float(second)}, b"pixels")
    story.close()
    story.close()
    lines = list(read_story(tmp_path))
    assert [line.header["n"] for line in lines if line.topic == "health"] == [0, 10, 20, 24]
    assert [line.payload for line in lines if line.topic == "action"] == [b"payload"] * 25
    assert {line.topic for line in lines} == {"health", "action"}


def test_numbers_that_json_cannot_say_are_null(tmp_path):
    Story(tmp_path, pytest.fail).keep("health", {"run_s": 0.0, "x": float("nan")}, b"")
    assert "NaN" not in (tmp_path / NAME).read_text()


def test_a_disk_that_is_gone_is_told_once_and_ends_nothing(tmp_path):
    said: list[str] = []
    story = Story(tmp_path / "gone", said.append)
    for second in (0.0, 1.0):
        story.keep("action", {"run_s": second}, b"")
    story.close()
    (what,) = said
    assert "story.jsonl could not be written" in what


def test_a_line_that_was_cut_short_at_the_end_is_left_out_and_one_in_the_middle_is_named(copy):
    text = (copy / NAME).read_text()
    (copy / NAME).write_text(text[:-20])
    assert len(list(read_story(copy))) == text.count("\n") - 1
    (copy / NAME).write_text("{" + text)
    with pytest.raises(TableFormatError, match=r"line 1 of .*story\.jsonl"):
        list(read_story(copy))


def test_a_run_that_was_broken_off_shows_what_was_written(copy):
    for name in ("run.json", "table.parquet"):
        (copy / name).unlink()
    lines = (copy / NAME).read_text().splitlines(keepends=True)
    (copy / NAME).write_text("".join(line for line in lines if '"topic": "end"' not in line))
    newest, _, drawn = seen(copy)
    assert (newest["health"]["state"], newest["health"]["message"]) == ("fault", BROKEN_OFF)
    assert (newest["end"]["state"], newest["end"]["message"]) == ("fault", BROKEN_OFF)
    assert 0 < drawn <= newest["health"]["localizations"]  # Picasso's file has none outside the field


def test_a_run_without_a_story_still_shows_its_picture_and_how_it_ended(copy):
    (copy / NAME).unlink()
    newest, _, drawn = seen(copy)
    assert newest["health"]["state"] == newest["end"]["state"] == "finished"
    assert newest["health"]["localizations"] == drawn


def test_what_is_no_run_is_named(tmp_path, copy):
    with pytest.raises(InputError, match="not the folder of a run"):
        Review(tmp_path / "nothing")
    for name in ("table.parquet", "locs.hdf5"):
        (copy / name).unlink()
    with closing(Review(copy)) as review, pytest.raises(TableFormatError, match="holds no localizations"):
        review.open()


def view(*arguments: object) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "stream.cli", "view", *map(str, arguments)],
        cwd=ROOT, stderr=subprocess.PIPE, text=True, env=os.environ | {"COLUMNS": "200"},
    )  # fmt: skip


def address_of(process: subprocess.Popen) -> str:
    line = process.stderr.readline()
    return next(word for word in line.split() if word.startswith("http://"))


@pytest.mark.parametrize("what", ["folder", "address"])
def test_the_command_serves_the_page_until_ctrl_c(finished, what):
    process = view(finished if what == "folder" else "tcp://127.0.0.1:9", "--port", 0)
    assert httpx.get(address_of(process)).status_code == 200
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert (process.returncode, said.strip()) == (0, "")


def test_the_command_says_what_is_wrong(tmp_path):
    process = view(tmp_path, "--port", 0)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "not the folder of a run" in said
    process = view(tmp_path, "--host", "0.0.0.0")
    _, said = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "no token is given" in said


def test_a_table_without_a_row_is_an_empty_picture(copy):
    rows = to_arrow(empty(("frame", "x_nm", "y_nm", "sigma_x_nm", "sigma_y_nm")))
    with parquet.ParquetWriter(copy / "table.parquet", rows.schema) as writer:
        writer.write_batch(rows)
    assert seen(copy)[1:] == (0.0, 0)
