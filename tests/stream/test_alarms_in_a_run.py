"""Statistics and alarms of whole runs: what subscribers, run.json and the folder get."""

import json
import socket
import threading
from typing import Any

import pytest

import stream
from stream import zoo
from stream.config import validate
from stream.engines import open_engine
from stream.pipeline import Pipeline

ANY = "tcp://127.0.0.1:*"


class Listener:
    """Keeps what is said and reported."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.ever: set[str] = set()

    def say(self, text: str) -> None:
        pass

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def report(self, health: dict[str, Any]) -> None:
        # the disk belongs to the computer that the tests run on; how busy that is decides the lag
        self.ever |= {alarm["name"] for alarm in health["alarms"]} - {"disk", "lag"}


def run(tmp_path, seconds, addresses=(ANY, ANY), **scene):
    source = {"kind": "simulated", "width_px": 48, "height_px": 48, "frames_per_s": 50, "frames": 50 * seconds}
    camera = {"pixel_size_nm": 100, "gain_e_per_adu": 0.5, "offset_adu": 100}
    settings = {
        "camera": camera, "source": source | {"structure": "uniform", "density_per_um2": 0.3} | scene,
        "model": {"name": "localizer-2d"}, "engine": {"threads": 1},
        "publish": dict(zip(("address", "snapshot_address"), addresses, strict=True)),
    }  # fmt: skip
    rig = validate(settings, "a test")
    listener = Listener()
    outcome = Pipeline(rig, tmp_path / "out", listener).run(open_engine(zoo.find(rig.model.name), rig.engine))
    assert outcome.state == "finished"
    return listener, outcome, json.loads((tmp_path / "out" / "run.json").read_text())


def free_addresses() -> list[str]:
    with socket.socket() as one, socket.socket() as other:
        for probe in (one, other):
            probe.bind(("127.0.0.1", 0))
        return [f"tcp://127.0.0.1:{probe.getsockname()[1]}" for probe in (one, other)]


def test_a_healthy_run_has_statistics_and_no_alarm(tmp_path):
    addresses, published = free_addresses(), []

    def follow():
        with stream.subscribe(*addresses, topics=["statistics"], timeout_s=60) as messages:
            published.extend(message.header for message in messages if message.topic == "statistics")

    follower = threading.Thread(target=follow)
    follower.start()
    listener, _, document = run(tmp_path, 14, addresses)
    follower.join(timeout=60)
    assert listener.ever == set()
    assert [line for line in document["alarms"] if line["name"] not in ("disk", "lag")] == []
    last = published[-1]
    assert last["frame"] > 400
    assert last["median"]["photons"] == pytest.approx(700, rel=0.2), "most are on for a part of a frame only"
    assert last["density_per_um2"] == pytest.approx(0.35, rel=0.3)
    assert last["on_time_frames"] == pytest.approx(2.0, rel=0.25)
    assert last["trained"]["photons"] == [100, 10_000]


def test_molecules_that_the_model_does_not_know_are_an_alarm_in_every_book(tmp_path):
    listener, outcome, document = run(tmp_path, 14, photons=4000.0, background=400.0)
    alarms = {alarm["name"]: alarm for alarm in outcome.health["alarms"]}
    assert "background" in alarms
    assert "the model knows 0 to 200" in alarms["background"]["what"]
    lines = [json.loads(line) for line in (tmp_path / "out" / "alarms.jsonl").read_text().splitlines()]
    assert lines == document["alarms"]
    assert {line["name"] for line in lines} >= {"background"}
    assert document["result"]["alarms"] == outcome.health["alarms"]
    assert any("photo-electrons/pixel of background" in warning for warning in listener.warnings), (
        "the terminal says it"
    )
