"""The loop: only frames of the present power count, a device that does otherwise ends it, a dry run sets nothing."""

import numpy as np
import pytest

from models.localizations import Localizations
from stream.acquisition.devices import Answer
from stream.actuator import Setting
from stream.errors import DeviceFault
from stream.feedback.action import Action
from stream.feedback.census import Census
from stream.feedback.conditions import met
from stream.feedback.loop import Activation
from stream.feedback.settings import ActivationSettings, StopSettings
from stream.stages.stage import Located

LEAST = {"device": "laser", "property": "power", "molecules": 4, "maximum": 10, "start": 2, "every_frames": 10}


def located(first: int, frames: int, molecules: int) -> Located:
    """So many molecules in each of these frames."""
    index = np.arange(first, first + frames)
    rows = np.repeat(index, molecules)
    nothing = np.zeros(len(rows), np.float32)
    table = Localizations({"frame": rows, "x_nm": nothing, "y_nm": nothing})
    return Located(table, index, np.zeros(frames))


class Run:
    """A loop whose device is played by the test."""

    def __init__(self, **more: object) -> None:
        self.asked: list[Setting] = []
        self.actions: list[Action] = []
        settings = ActivationSettings(**{"mode": "on"} | LEAST | more)
        self.loop = Activation(settings, self.asked.append, self.actions.append)
        self.loop.begin()

    def answer(self, frame: int, read_back: float | None = None, fault: DeviceFault | None = None) -> None:
        wanted = self.asked[-1]
        now = wanted.value if read_back is None and fault is None else read_back
        self.loop.answered(Answer(wanted, now, frame, fault))


def test_frames_that_were_taken_before_the_power_was_changed_do_not_count() -> None:
    run = Run()
    run.loop.hear(located(0, 20, 0))  # the start value is still under way
    assert len(run.asked) == 1
    run.answer(frame=24)
    run.loop.hear(located(20, 12, 0))  # 25 to 31 count
    assert len(run.asked) == 1
    run.loop.hear(located(32, 3, 5))
    action = run.loop._under_way
    assert (action.frames, action.molecules, action.frame) == (10, 1.5, 34)
    assert run.asked[-1].value > 2


def test_an_action_says_what_it_rests_on() -> None:
    run = Run()
    run.answer(frame=-1)
    run.loop.hear(located(0, 10, 2))
    run.answer(frame=11)
    start, change = run.actions
    assert (start.kind, start.old, start.new, start.read_back) == ("start", None, 2, 2)
    assert (change.kind, change.old, change.molecules, change.frames, change.frame) == ("change", 2, 2, 10, 11)
    assert change.new == change.read_back > 2
    assert change.why == "2 molecules in a frame, 4 wanted"


def test_at_the_wanted_number_nothing_is_asked() -> None:
    run = Run()
    run.answer(frame=-1)
    for first in range(0, 100, 10):
        run.loop.hear(located(first, 10, 4))
    assert len(run.asked) == len(run.actions) == 1


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"fault": DeviceFault("laser.power = 2 was refused: key off", remedy="turn it")}, "key off; turn it"),
        ({"read_back": 1.5}, "asked for 2 and reads back 1.5"),
        ({"read_back": float("nan")}, "reads back nan"),
    ],
)
def test_a_device_that_does_otherwise_ends_the_loop_once(answer: dict, says: str) -> None:
    run = Run()
    run.answer(frame=-1, **answer)
    for first in range(0, 100, 10):
        run.loop.hear(located(first, 10, 0))
    assert len(run.asked) == len(run.actions) == 1
    assert run.actions[0].kind == "fault"
    assert says in run.actions[0].why
    run.loop.answered(Answer(Setting("laser", "power", 0, 0, 10), 0, 99, left_behind=True))
    run.loop.end()
    assert [action.kind for action in run.actions] == ["fault", "after"]


def test_a_laser_that_takes_steps_is_followed_all_the_same() -> None:
    run = Run()
    run.answer(frame=-1, read_back=2.09)
    run.loop.hear(located(0, 10, 2))
    assert len(run.asked) == 2


def test_in_a_dry_run_nothing_is_asked_and_each_action_is_one_step_from_the_start() -> None:
    run = Run(mode="dry-run")
    for first in range(0, 40, 10):
        run.loop.hear(located(first, 10, 2))
    run.loop.end()
    assert run.asked == []
    assert [action.kind for action in run.actions] == ["start", "change", "change", "change", "change", "after"]
    assert all(action.dry_run and action.read_back is None for action in run.actions)
    assert {(action.old, action.new) for action in run.actions[1:5]} == {(2, run.actions[1].new)}


def test_frames_at_the_maximum_are_counted_and_forgotten_when_it_is_left() -> None:
    run, frame = Run(start=9), 0
    run.answer(frame=-1)
    for _ in range(3):
        run.loop.hear(located(frame, 10, 0))
        frame += 10
        if run.loop._under_way:
            run.answer(frame=frame - 1)
    assert [action.kind for action in run.actions] == ["start", "maximum"]
    assert run.loop.frames_at_maximum == 20
    run.loop.hear(located(frame, 10, 20))
    run.answer(frame=frame + 9)
    assert run.loop.frames_at_maximum == 0


def test_a_source_that_is_gone_is_said_to_have_put_nothing_back() -> None:
    run = Run()
    run.answer(frame=-1)
    run.loop.end()
    assert run.actions[-1].kind == "fault"
    assert "source process is gone and could not set laser.power = 0" in run.actions[-1].why


def test_a_census_counts_frames_without_a_molecule() -> None:
    census = Census()
    assert census.mean != census.mean
    census.add(located(0, 4, 3))
    assert census.add(located(4, 4, 0)) == 4
    assert (census.mean, census.frames, census.last) == (1.5, 8, 7)


def test_a_run_stops_at_its_numbers_and_says_at_which() -> None:
    assert met(StopSettings(), 10**9, 10**9) == ""
    wanted = StopSettings(localizations=100, at_maximum_frames=30)
    assert met(wanted, 99, 29) == ""
    assert "100 localizations: [stop] localizations = 100" in met(wanted, 100, 0)
    assert "at_maximum_frames = 30 is reached" in met(wanted, 0, 31)
