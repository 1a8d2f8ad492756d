"""What the page keeps of the optics and of what was done, for browsers that come late."""

from typing import Any

import numpy as np

from stream.links.messages import Message
from stream.page.state import ACTIONS, Key, RunState


def message(topic: str, payload: np.ndarray | None = None, run_id: str = "a", **header: Any) -> Message:
    return Message(topic, {"run_id": run_id, "sequence": 0, **header}, payload)


def test_the_psf_of_the_start_stays_beside_the_newest():
    state = RunState()
    for epoch in (0, 1, 2):
        state.take(message("psf", psf_epoch=epoch))
    assert {key: kept.header["psf_epoch"] for key, kept in state.newest.items()} == {Key("psf"): 0, Key("psf", 1): 2}


def test_actions_and_estimates_of_the_pupil_are_listed_until_another_run_begins():
    now = [100.0]
    state = RunState(lambda: now[0])
    for number in range(ACTIONS + 5):
        state.take(message("action", frame=number))
    state.take(message("phase", np.full(27, 0.25, np.float32)))
    now[0] += 2
    assert [action["frame"] for action in state.actions] == list(range(5, ACTIONS + 5))
    assert state.optics() == [{"age_s": 2.0, "waves": [0.25] * 27}]
    state.take(message("start", run_id="b"))
    assert (list(state.actions), state.optics()) == ([], [])
