"""What the page keeps for browsers that come late."""

from typing import Any

from stream.links.messages import Message
from stream.page.state import HISTORY_S, Key, RunState


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def message(topic: str, run_id: str = "a", **header: Any) -> Message:
    return Message(topic, {"run_id": run_id, "sequence": 0, **header}, None)


def test_the_newest_of_each_place_is_kept():
    state = RunState()
    state.take(message("tile", level=2, row=0, column=0))
    state.take(message("tile", level=0, row=3, column=1, sequence=1))
    key = state.take(message("tile", level=0, row=3, column=1, sequence=2))
    assert key == Key("tile", 0, 3, 1)
    assert state.newest[key].header["sequence"] == 2
    assert len(state.newest) == 2
    assert state.coarsest == 2


def test_another_run_clears_the_last():
    state = RunState()
    for topic in ("start", "health"):
        state.take(message(topic))
    state.take(message("tile", level=2, row=0, column=0))
    state.take(message("start", run_id="b"))
    assert list(state.newest) == [Key("start")]
    assert (state.history(), state.coarsest) == ([], 0)


def test_the_history_holds_two_minutes_of_what_is_plotted():
    clock = Clock()
    state = RunState(clock)
    for k in range(10):
        clock.now = 100 + k * HISTORY_S / 4
        state.take(message("health", lag_frames=k, message="not plotted"))
    clock.now += 1.5
    history = state.history()
    assert [sample["lag_frames"] for sample in history] == [5, 6, 7, 8, 9]
    assert [sample["age_s"] for sample in history] == [121.5, 91.5, 61.5, 31.5, 1.5]
    assert state.health_age_s() == 1.5
    assert "message" not in history[0]
