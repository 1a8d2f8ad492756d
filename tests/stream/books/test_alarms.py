"""Each alarm is raised by what it warns of, stays while it lasts, and is cleared; a healthy run has none."""

import json
import re

import numpy as np
import pytest

from models.guard.verdict import Finding as GuardFinding
from models.guard.verdict import verdict
from models.localizations import Localizations
from models.sample_space import LOCALIZER_2D, LOCALIZER_3D
from stream.books import alarms_of_data, alarms_of_run
from stream.books.alarm_rules import rules
from stream.books.alarms import Alarms, Finding, Seen, Watched
from stream.books.health import Health
from stream.books.json_lines import ALARMS, JsonLines
from stream.books.ledger import Ledger
from stream.books.ranges import Ranges
from stream.books.statistics import EVERY_S, Statistics
from stream.frame import StreamInfo
from stream.stages.stage import Located

SIDE_PX, PIXEL_NM = 100, 100.0
FRAMES_PER_S = 20
USUAL = {"per_frame": 40, "photons": 1000.0, "background": 10.0, "z_nm": None, "sigma_nm": 8.0}


class Bench:
    """A run of which every second is made up: tables and ledger go through the books, and the alarms look at those."""

    def __init__(self, tmp_path, space=LOCALIZER_2D, waits=False, free_bytes=None):
        self.now_s, self.first, self.rng = 0.0, 0, np.random.default_rng(7)
        self.ledger = Ledger(verifiable=True)
        self.health = Health(self.ledger, clock=lambda: self.now_s)
        self.statistics = Statistics(StreamInfo(SIDE_PX, SIDE_PX), PIXEL_NM, space)
        watched = rules(waits, tmp_path)
        watched["disk"] = Watched(alarms_of_run.Disk(free_bytes or (lambda: 10**12)), watched["disk"].raise_s)
        self.path = tmp_path / "alarms.jsonl"
        self.alarms = Alarms(watched, JsonLines(tmp_path / ALARMS).add)
        self.optics, self.raised, self.ever = {}, [], set()

    def go(self, seconds, received=FRAMES_PER_S, analysed=None, **table):
        """Let time pass, with so many frames a second; return the names of the alarms that are raised at the end."""
        analysed = received if analysed is None else analysed
        for _ in range(round(seconds / EVERY_S)):
            self.now_s += EVERY_S
            for _ in range(round(received * EVERY_S)):
                self.ledger.receive(self.ledger.newest + 1)
                self.ledger.ringed.add(self.ledger.newest)
            count = round(analysed * EVERY_S)
            self.ledger.analyse(range(self.first, self.first + count))
            self.statistics.add(self.located(count, **{**USUAL, **table}))
            self.look()
        return {alarm["name"] for alarm in self.raised}

    def look(self):
        report = self.health.report("running", {"slots": 8, "used": 1})
        self.raised = self.alarms.look(Seen(self.now_s, report, self.statistics.report(), self.optics))
        self.ever |= {alarm["name"] for alarm in self.raised}

    def located(self, frames, per_frame, photons, background, z_nm, sigma_nm):
        rows, rng = frames * per_frame, self.rng
        columns = {
            "frame": np.repeat(np.arange(self.first, self.first + frames), per_frame),
            "x_nm": rng.uniform(0, SIDE_PX * PIXEL_NM, rows), "y_nm": rng.uniform(0, SIDE_PX * PIXEL_NM, rows),
            "photons": photons * rng.lognormal(0, 0.3, rows), "background": background * rng.lognormal(0, 0.1, rows),
            "sigma_x_nm": np.full(rows, sigma_nm), "sigma_y_nm": np.full(rows, sigma_nm),
        }  # fmt: skip
        if z_nm is not None:
            columns["z_nm"] = rng.normal(z_nm, 200, rows)
        index = np.arange(self.first, self.first + frames)
        self.first += frames
        return Located(Localizations(columns), index, np.zeros(frames))

    def lines(self):
        return [json.loads(line) for line in self.path.read_text().splitlines()]


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


def test_a_healthy_hour_has_no_alarm(bench):
    assert bench.go(3600, received=4) == set()
    assert bench.ever == set()
    assert not bench.path.exists()


@pytest.mark.parametrize(
    ("name", "wrong", "words"),
    [
        ("density", {"per_frame": 260}, "too dense"),
        ("photons", {"photons": 60.0}, "too dim"),
        ("photons", {"photons": 20_000.0}, "too bright"),
        ("background", {"background": 300.0}, "too bright"),
        ("focus", {"sigma_nm": 12.0}, "out of focus"),
        ("molecules", {"per_frame": 0}, "no molecule"),
    ],
)
def test_data_that_the_model_does_not_know_raise_an_alarm_until_they_are_mended(bench, name, wrong, words):
    assert bench.go(40) == set()
    assert name in bench.go(30, **wrong)
    alarm = next(alarm for alarm in bench.raised if alarm["name"] == name)
    assert words in alarm["what"]
    assert 40 < alarm["since_s"] <= 62
    assert len(alarm["remedy"]) > 10
    assert bench.go(40) == set()
    events = [line["event"] for line in bench.lines() if line["name"] == name]
    assert (events[0], events[-1], len(set(events))) == ("raised", "cleared", len(events))
    assert bench.alarms.log == bench.lines()


def test_molecules_that_all_move_along_the_axis_raise_the_focus_alarm(tmp_path):
    bench = Bench(tmp_path, LOCALIZER_3D)
    assert bench.go(40, z_nm=50.0) == set()
    assert bench.go(20, z_nm=120.0) == set(), "a small shift is not worth a walk"
    assert bench.go(30, z_nm=-90.0) == {"focus"}
    moved_nm = float(re.search(r"lie ([-+]\d+) nm", bench.raised[0]["what"])[1])
    assert moved_nm == pytest.approx(-140, abs=10)
    assert bench.go(40, z_nm=50.0) == set()


def test_an_alarm_does_not_flicker_where_a_value_crosses_its_limit(bench):
    bench.go(40)
    for _ in range(20):
        bench.go(14, per_frame=215)
        bench.go(14, per_frame=190)
    assert [line["event"] for line in bench.lines()] == ["raised"]


def test_a_short_disturbance_is_no_alarm(bench):
    bench.go(40)
    bench.go(EVERY_S, photons=3e4, per_frame=5)
    assert bench.go(60) == set()
    assert bench.ever == set()


def test_dimmer_molecules_are_no_lost_focus(bench):
    """Uncertainties grow where brightness falls: what is compared is the width of the spots."""
    bench.go(40)
    bench.go(40, photons=500.0, sigma_nm=12.0)
    assert "focus" not in bench.ever


def test_lost_frames_are_red_for_a_minute(bench):
    bench.go(10)
    bench.ledger.note("missing", {"camera counter gap": _frames(1000, 1002)})
    bench.look()
    assert [(alarm["name"], alarm["level"]) for alarm in bench.raised] == [("lost", "red")]
    assert "3 (missing: camera counter gap)" in bench.raised[0]["what"]
    assert bench.go(58) == {"lost"}
    assert bench.go(6) == set()


def test_suspicious_and_refused_frames_are_amber(bench):
    bench.go(10)
    bench.ledger.note("suspicious", {"interval too long": _frames(50, 50)})
    bench.ledger.refuse("refused: index repeated", 2)
    bench.look()
    assert [(alarm["name"], alarm["level"]) for alarm in bench.raised] == [("suspicious", "amber")]
    assert "1 (interval too long), 2 (index repeated)" in bench.raised[0]["what"]


def test_frames_that_are_nowhere_are_red(bench):
    bench.go(10)
    bench.ledger.received.add(5000, 5002)
    assert "unaccounted" in bench.go(10)
    bench.ledger.ringed.add(5000, 5002)
    assert "unaccounted" not in bench.go(14)


def test_falling_behind_is_an_alarm_and_catching_up_ends_it(bench):
    assert bench.go(20) == set()
    assert bench.go(30, received=20, analysed=10) == {"lag"}
    assert "20 frames/s come, 10 are analysed" in bench.raised[0]["what"]
    assert bench.go(30, received=20, analysed=35) == set()


def test_a_backlog_that_does_not_grow_is_no_alarm(bench):
    bench.go(2, received=100, analysed=20)
    assert bench.go(60, received=20, analysed=20) == set()
    assert bench.ever == set()


def test_a_source_that_waits_is_never_late(tmp_path):
    bench = Bench(tmp_path, waits=True)
    assert bench.go(60, received=40, analysed=10) == set()


def test_a_camera_that_falls_silent_is_noticed(bench):
    bench.go(20)
    assert "camera" in bench.go(10, received=0)
    assert "no frame for 10 s" in next(alarm["what"] for alarm in bench.raised if alarm["name"] == "camera")
    assert "camera" not in bench.go(4)


def test_a_slow_camera_is_not_silent(bench):
    bench.go(40, received=0.5, per_frame=40)
    assert "camera" not in bench.ever


def test_a_disk_that_fills_up_is_named_with_the_minutes_that_are_left(tmp_path):
    free = [40e9]

    def shrinking():
        free[0] -= 5 * 40e6
        return int(free[0])

    bench = Bench(tmp_path, free_bytes=shrinking)
    assert bench.go(30) == set()
    assert bench.go(200) == {"disk"}
    assert "full in 1" in bench.raised[0]["what"]
    assert bench.raised[0]["level"] == "amber"
    bench.go(500)
    assert bench.raised[0]["level"] == "red"
    assert [line["event"] for line in bench.lines()] == ["raised", "worse"]
    free[0] = 900e9
    bench.go(400)
    assert "disk" not in {alarm["name"] for alarm in bench.raised}


@pytest.mark.parametrize(
    ("change", "sigma", "level"), [(0.04, 0.001, None), (0.06, 0.03, None), (0.06, 0.01, "amber"), (0.08, 0.01, "red")]
)
def test_a_wavefront_that_changes_is_an_alarm_if_that_is_sure(bench, change, sigma, level):
    bench.optics = {"change_waves": change, "change_sigma_waves": sigma}
    bench.go(10)
    assert [alarm["level"] for alarm in bench.raised] == ([level] if level else [])
    bench.optics = {"change_waves": 0.02, "change_sigma_waves": 0.01}
    assert bench.go(14) == set()


def test_optics_that_nobody_watches_any_more_are_said(bench):
    bench.optics = {"lost": True, "reason": "the process is gone", "remedy": "start anew"}
    bench.go(4)
    assert "the process is gone" in bench.raised[0]["what"]


def test_what_the_guard_says_is_an_alarm_at_once_and_as_long_as_it_holds(bench):
    for word, level in (("drifting", "amber"), ("outside", "red")):
        finding = GuardFinding("gain", word, "gain is 0.8 times", "calibrate")
        bench.health.guard = verdict([finding], frame=90, molecules=500)
        bench.look()
        (alarm,) = bench.raised
        assert [alarm[key] for key in ("name", "level", "what", "remedy")] == [
            "guard",
            level,
            finding.cause,
            "calibrate",
        ]
    bench.health.guard = verdict([], frame=120, molecules=900)
    bench.look()
    assert bench.raised == []
    assert [line["event"] for line in bench.lines()] == ["raised", "worse", "cleared"]


def test_the_gravest_alarm_comes_first(tmp_path):
    found = {"mild": Finding("amber", "a", "b"), "bad": Finding("red", "c", "d")}
    watched = {name: Watched(lambda seen, raised, name=name: found[name], 0, 0) for name in found}
    alarms = Alarms(watched, lambda line: None)
    assert [alarm["name"] for alarm in alarms.look(Seen(1.0, {}))] == ["bad", "mild"]


def test_before_anything_is_known_nothing_is_wrong(bench):
    bench.look()
    assert bench.raised == []
    seen = Seen(0.0, bench.health.report("running", {}))
    for rule in (alarms_of_data.density, alarms_of_data.photons, alarms_of_data.focus, alarms_of_data.optics):
        assert rule(seen, False) is None


def _frames(first, last):
    frames = Ranges()
    frames.add(first, last)
    return frames
