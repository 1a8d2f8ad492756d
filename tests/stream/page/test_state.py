"""What the page keeps for browsers that come late."""

from typing import Any

from stream.links.messages import Message
from stream.page.state import Key, RunState


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def message(topic: str, run_id: str = "a", **header: Any) -> Message:
    return Message(topic, {"run_id": run_id, "sequence": 0, "run_s": 0.0, **header}, None)


def test_the_newest_of_each_place_is_kept():
    state = RunState()
    state.take(message("tile", level=2, row=0, column=0))
    state.take(message("tile", level=0, row=3, column=1, sequence=1))
    key = state.take(message("tile", level=0, row=3, column=1, sequence=2))
    assert key == Key("tile", 0, 3, 1)
    assert state.newest[key].header["sequence"] == 2
    assert len(state.newest) == 2
    assert state.coarsest == {"tile": 2}


def test_another_run_clears_the_last():
    state = RunState()
    for topic in ("start", "health"):
        state.take(message(topic))
    state.take(message("tile", level=2, row=0, column=0))
    state.take(message("start", run_id="b"))
    assert list(state.newest) == [Key("start")]
    assert state.history()["health"]["whole"]["age_s"] == []
    assert not state.coarsest


def test_what_is_plotted_is_kept_by_topic():
    clock = Clock()
    state = RunState(clock)
    for k in range(10):
        clock.now = 100 + 30 * k
        header = {"lag_frames": k, "frames_per_s": {"received": 20.0}, "message": "not plotted"}
        state.take(message("health", run_s=30.0 * k, **header))
    state.take(message("statistics", run_s=270.0, median={"photons": 800.0}))
    clock.now += 1.5
    assert state.health_age_s() == 1.5
    recent = state.history()["health"]["recent"]
    assert recent["fields"]["lag"]["mean"] == [5, 6, 7, 8, 9]
    assert recent["age_s"] == [121.5, 91.5, 61.5, 31.5, 1.5]
    assert recent["fields"]["received"]["high"] == [20] * 5
    assert recent["fields"]["p99"]["mean"] == [None] * 5, "what a header does not say is not known"
    assert state.history()["health"]["whole"]["fields"]["lag"]["mean"] == list(range(10))
    assert state.history()["statistics"]["middle"]["fields"]["photons"]["mean"] == [800]
    assert state.sample("action", {"new": 2.5}) == {"power": 2.5}


def test_a_run_that_is_over_stands_still_in_its_own_time():
    clock = Clock()
    state = RunState(clock)
    for run_s, given in ((0.0, "running"), (3000.0, "running"), (36_000.0, "finished")):
        state.take(message("health", run_s=run_s, state=given, lag_frames=1))
    clock.now += 500
    assert state.now_s == 36_000
    assert state.history()["health"]["whole"]["age_s"][0] == 36_000
    assert state.health_age_s() == 500
