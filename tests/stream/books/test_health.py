"""Rates and latencies by a clock that the test holds."""

import numpy as np
import pytest

from stream.books.health import WINDOW_S, Health, Rate
from stream.books.ledger import Ledger


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_steady_rate_is_found_and_forgotten(clock: Clock) -> None:
    rate = Rate(clock)
    for second in range(1, 11):
        clock.now = second
        assert rate.reach(40 * second) == pytest.approx(40)
    clock.now += 10 * WINDOW_S
    rate.reach(400)
    clock.now += 1
    assert rate.reach(400) == 0


def test_no_time_is_no_rate(clock: Clock) -> None:
    assert Rate(clock).reach(5) == 0


def test_the_report_counts_what_was_analysed(clock: Clock) -> None:
    ledger = Ledger(verifiable=True)
    health = Health(ledger, frames=100, clock=clock)
    assert health.report("waiting", {"slots": 8, "used": 0})["analysing_frames_per_s"] is None
    for batch in range(3):
        clock.now += 2
        indices = list(range(batch * 10, batch * 10 + 10))
        for index in indices:
            ledger.receive(index)
        ledger.analyse(indices)
        health.analysed(localizations=7, latency_ms=np.full(10, 50.0))
    report = health.report("running", {"slots": 8, "used": 2})
    assert report["localizations"] == 21
    assert report["analysing_frames_per_s"] == 5  # twenty frames in the four seconds after the first batch
    assert report["latency_ms"]["max"] == 50
    assert report["ledger"]["analysed"] == report["ledger"]["received"] == 30
    assert report["frames"] == 100
    assert report["lag_frames"] == 0


def test_what_waits_is_shown(clock: Clock) -> None:
    ledger = Ledger(verifiable=True)
    for index in range(12):
        ledger.receive(index)
    ledger.spilled.add(4, 11)
    ledger.ringed.add(0, 5)
    report = Health(ledger, clock=clock).report("running", {"slots": 8, "used": 6})
    assert report["spooled_frames"] == 6
    assert report["lag_frames"] == 12


def test_recent_latencies_are_those_since_the_report_before(clock: Clock) -> None:
    health = Health(Ledger(verifiable=True), clock=clock)
    health.analysed(localizations=0, latency_ms=np.full(10, 900.0))
    assert health.report("running", {})["recent_latency_ms"]["p99"] == 900
    health.analysed(localizations=0, latency_ms=np.full(10, 20.0))
    report = health.report("running", {})
    assert report["recent_latency_ms"]["max"] == 20
    assert report["latency_ms"]["max"] == 900, "of the whole run"
    assert health.report("running", {})["recent_latency_ms"] == {}
