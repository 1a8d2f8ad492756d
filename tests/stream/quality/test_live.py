"""The analyzer never waits: rows wait for the process that measures, and what becomes of it is said."""

from multiprocessing import active_children
from typing import Any

import numpy as np
import pytest

from models.localizations import Localizations
from stream import beside
from stream.beside import HAND_OVER_ROWS
from stream.quality import watch_process
from stream.quality.live import REST, LiveResolution
from stream.quality.settings import ResolutionSettings
from stream.quality.watch import Field, Rows
from stream.stages.stage import Located
from stream.worker import Answer, WorkerDied

FLAT = {"verdict": "even", "flat": True}


class Measurer:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.idle, self.sent, self.answer, self.dead, self.closed = True, [], None, False, False

    def close(self) -> None:
        self.closed = True

    def send(self, rows: Rows, estimate: bool) -> None:
        assert self.idle
        self.sent.append((rows, estimate))
        self.idle = False

    def poll(self, wait_s: float = 0.0) -> Answer | None:
        if self.dead:
            raise WorkerDied("the process that measures the resolution died (exit code -9)")
        if wait_s and self.answer is None and not self.idle:
            self.answer = Answer({"subpixel": FLAT}, 0.0)
        answer, self.answer = self.answer, None
        self.idle = self.idle or answer is not None
        return answer


class Bench:
    """A run's side of it, with the time held by the test."""

    def __init__(self, correct: beside.Correct = beside.as_localized) -> None:
        self.now_s, self.measurer = 100.0, Measurer()
        self.found: list[dict[str, Any]] = []
        self.told: list[str] = []
        self.live = LiveResolution(
            self.measurer, 10.0, self.found.append, self.told.append, correct, clock=lambda: self.now_s
        )

    def hear(self, rows: int, frame: int = 0) -> None:
        table = Localizations({"frame": np.full(rows, frame), "x_nm": np.ones(rows), "y_nm": np.ones(rows)})
        self.live.hear(Located(table, np.array([frame]), np.array([0.0])))

    def answer(self, estimate: dict[str, Any] | None, seconds: float = 0.0) -> None:
        self.measurer.answer = Answer(estimate, seconds)
        self.live.serve()


def test_an_estimate_is_asked_for_in_time_and_rows_wait_until_then() -> None:
    bench = Bench()
    bench.hear(3, 0), bench.hear(2, 1)
    bench.live.serve()
    assert bench.measurer.sent == []
    bench.now_s += 10
    bench.live.serve()
    (rows, estimate), *more = bench.measurer.sent
    assert estimate
    assert not more
    assert rows.frame.tolist() == [0, 0, 0, 1, 1]
    assert rows.still_x_nm is rows.x_nm
    bench.now_s += 100
    bench.hear(1, 2)
    bench.live.serve()  # it has not answered
    assert len(bench.measurer.sent) == 1
    bench.answer({"frame": 1, "subpixel": FLAT})
    assert bench.found == [{"frame": 1, "subpixel": FLAT, "not_measured": 0, "seconds": 0.0}]
    assert bench.live.newest == bench.found[0]
    assert bench.measurer.idle is False  # it was due again


def test_it_rests_so_many_times_as_long_as_it_worked() -> None:
    bench = Bench()
    bench.hear(3)
    bench.now_s += 10
    bench.live.serve()
    bench.answer({"subpixel": FLAT}, seconds=2.0)
    bench.hear(3)
    bench.now_s += 2 * REST - 0.1
    bench.live.serve()
    assert len(bench.measurer.sent) == 1
    bench.now_s += 0.2
    bench.live.serve()
    assert len(bench.measurer.sent) == 2


def test_many_rows_are_handed_over_before_an_estimate_is_due() -> None:
    bench = Bench()
    bench.hear(HAND_OVER_ROWS)
    bench.live.serve()
    assert [estimate for _, estimate in bench.measurer.sent] == [False]
    bench.answer(None)
    assert bench.found == []
    bench.now_s += 10
    bench.live.serve()  # nothing new, but what was handed over was not judged
    assert [estimate for _, estimate in bench.measurer.sent] == [False, True]
    bench.answer({"subpixel": FLAT})
    bench.now_s += 10
    bench.live.serve()
    assert len(bench.measurer.sent) == 2


def test_a_late_process_holds_up_nobody_and_what_it_misses_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "MOST_ROWS", 100)
    bench = Bench()
    for frame in range(5):
        bench.hear(40, frame)
    assert bench.live.missed == 120
    bench.now_s += 10
    bench.live.serve()
    bench.answer({"subpixel": FLAT})
    assert bench.found[0]["not_measured"] == 120


def test_drift_is_taken_off_when_rows_are_handed_over() -> None:
    def correct(table: Localizations) -> beside.Places:
        x, y = beside.as_localized(table)
        return x - np.float32(5), y

    bench = Bench(correct)
    bench.hear(2)
    bench.now_s += 10
    bench.live.serve()
    rows, _ = bench.measurer.sent[0]
    assert rows.x_nm.tolist() == rows.y_nm.tolist() == rows.still_y_nm.tolist() == [1, 1]
    assert rows.still_x_nm.tolist() == [-4, -4]


def test_a_death_is_told_once_and_the_run_goes_on() -> None:
    bench = Bench()
    bench.hear(3)
    bench.measurer.dead = True
    bench.live.serve()
    bench.hear(3)
    bench.live.serve()
    bench.live.finish()
    assert len(bench.told) == 1
    assert "exit code -9); the run goes on without it" in bench.told[0]
    assert bench.measurer.closed


def test_a_last_estimate_that_does_not_come_is_given_up_and_its_process_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    bench, alive = Bench(), []
    monkeypatch.setattr(beside, "LAST_WITHIN_S", 1.0)
    monkeypatch.setattr(bench.measurer, "poll", lambda wait_s=0.0: None)
    bench.hear(3)
    bench.live.finish(lambda: alive.append(1))
    assert bench.told == ["the last estimate of the resolution did not come within 1 s"]
    assert bench.measurer.closed
    assert len(alive) == 2


def test_uneven_positions_are_told_once() -> None:
    bench = Bench()
    for _ in range(3):
        bench.hear(1)
        bench.now_s += 10
        bench.live.serve()
        bench.answer({"subpixel": {"verdict": "x positions gather", "flat": False}})
    assert bench.told == ["x positions gather"]


def test_the_end_gets_an_estimate_of_all_and_only_if_something_is_new() -> None:
    bench = Bench()
    bench.hear(HAND_OVER_ROWS)
    bench.live.serve()
    bench.hear(7)
    bench.live.finish()
    assert [(len(rows.frame), estimate) for rows, estimate in bench.measurer.sent] == [
        (HAND_OVER_ROWS, False), (7, True)
    ]  # fmt: skip
    bench.live.finish()
    assert len(bench.measurer.sent) == 2
    assert len(bench.told) == 0


def test_the_process_measures_and_its_death_is_noticed() -> None:
    rng = np.random.default_rng(0)
    frame, (x, y) = np.sort(rng.integers(0, 1000, 5000)), rng.uniform(0, 6400, (2, 5000)).astype(np.float32)
    with watch_process.start(Field(64, 64, 100.0), ResolutionSettings(mode="on")) as process:
        process.send(Rows(frame, x, y, x, y), False)
        assert not process.idle
        assert process.poll(60).estimate is None
        process.send(Rows(frame[:0], x[:0], y[:0], x[:0], y[:0]), True)
        answer = process.poll(60)
        assert answer.estimate["localizations"] == 5000
        assert answer.seconds > 0
        (child,) = active_children()
        child.kill()
        child.join()
        with pytest.raises(WorkerDied, match="exit code -9"):
            process.poll(1)
