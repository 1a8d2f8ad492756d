"""The activation loop: counts molecules in each frame, asks for the next power, and hears what the device made of it.

    waiting -> counting -> waiting -> ... -> over
       |           |
       +-----------+--> gave up -> over

waiting: a value was asked for, its answer has not come. counting: frames taken under it are counted. gave up: the
device refused or reads back something else; nothing is set any more, the run goes on. over: the value that is left
behind was put back. In a dry run there is nothing to wait for, and each action is what one step from the start value
would have been: nothing follows it, so nothing is built upon it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from stream.acquisition.devices import Answer
from stream.actuator import Setting
from stream.feedback import law
from stream.feedback.action import Action, Kind
from stream.feedback.census import Census
from stream.feedback.settings import ActivationSettings
from stream.stages.stage import Located

TOLERANCE = 0.01
"""How far a value read back may be from what was asked, as part of the maximum: lasers have steps."""


def setting(settings: ActivationSettings, value: float) -> Setting:
    """Return the request for a value; the settings are complete."""
    assert settings.device is not None
    assert settings.property is not None
    assert settings.maximum is not None
    return Setting(settings.device, settings.property, value, settings.minimum, settings.maximum)


class Activation:
    """Holds the number of molecules in a frame.

    Parameters
    ----------
    settings : ActivationSettings
        Complete; mode "dry-run" or "on".
    ask : callable
        Asks for a setting; not called in a dry run.
    record : callable
        Told of each action.

    Attributes
    ----------
    frames_at_maximum : int
        Taken in a row with the power at its maximum.
    """

    def __init__(
        self, settings: ActivationSettings, ask: Callable[[Setting], None], record: Callable[[Action], None]
    ) -> None:
        self._settings, self._ask, self._record = settings, ask, record
        self._drive, self._census = law.first(settings), Census()
        self._under_way: Action | None = None
        self._set: float | None = None
        self._over = self._left_behind = False
        self.frames_at_maximum = 0

    @property
    def _dry_run(self) -> bool:
        return self._settings.mode == "dry-run"

    def begin(self) -> None:
        """Ask for the start value; call it before the first frame is taken."""
        self._do(Action("start", -1, "before the first frame", new=self._drive.power))

    def hear(self, located: Located) -> None:
        """Count molecules; once there are frames enough, act."""
        if self._over or self._under_way is not None:
            return
        counted = self._census.add(located)
        if self._set == self._settings.maximum:
            self.frames_at_maximum += counted
        if self._census.frames >= self._settings.every_frames:
            self._act()

    def _act(self) -> None:
        census, old = self._census, self._drive.power
        drive = law.next_drive(self._drive, census.mean, self._settings)
        kind: Kind = "maximum" if drive.power == self._settings.maximum else "change"
        why = f"{census.mean:.4g} molecules in a frame, {self._settings.molecules:g} wanted"
        action = Action(kind, census.last, why, old, drive.power, None, round(census.mean, 4), census.frames)
        if not self._dry_run:
            self._drive = drive
        census.begin_after(census.last)
        if drive.power != old:
            self._do(action)

    def _do(self, action: Action) -> None:
        """Ask for the new value; in a dry run only say so."""
        assert action.new is not None
        if self._dry_run:
            self._record(replace(action, dry_run=True))
            return
        self._under_way = action
        self._ask(setting(self._settings, action.new))

    def answered(self, answer: Answer) -> None:
        """Hear what came of a setting."""
        if answer.left_behind:
            self._end(answer)
            return
        action, self._under_way = self._under_way, None
        assert action is not None
        problem = problem_of(answer)
        if problem:
            self._over = True
            action = replace(action, kind="fault", why=f"{problem}; nothing is changed any more")
        if answer.wanted.value != self._settings.maximum:
            self.frames_at_maximum = 0
        self._set = answer.wanted.value
        self._census.begin_after(answer.frame)
        self._record(replace(action, frame=answer.frame, read_back=answer.read_back))

    def _end(self, answer: Answer) -> None:
        """Note what was left behind; a setting that was under way is not done any more."""
        self._over = self._left_behind = True
        problem, new = problem_of(answer), answer.wanted.value
        kind: Kind = "fault" if problem else "after"
        why = f"left behind at the end: {problem}" if problem else "left behind at the end"
        self._record(Action(kind, answer.frame, why, self._set, new, answer.read_back))

    def end(self) -> None:
        """Say what would have been left behind, in a dry run, or that the source was gone before it could."""
        after, last = law.after(self._settings), self._census.last
        if self._dry_run:
            self._record(Action("after", last, "left behind at the end", self._drive.power, after, dry_run=True))
        elif not self._left_behind:
            name = f"{self._settings.device}.{self._settings.property}"
            why = f"the source process is gone and could not set {name} = {after:g}: see to the device yourself"
            self._record(Action("fault", last, why, self._set, after))


def problem_of(answer: Answer) -> str:
    """Return in words what the device did otherwise than asked; nothing if it obeyed."""
    wanted, now = answer.wanted, answer.read_back
    if now is None:
        assert answer.fault is not None
        return "; ".join(part for part in (answer.fault.what, answer.fault.limit, answer.fault.remedy) if part)
    if abs(now - wanted.value) <= TOLERANCE * wanted.highest:
        return ""
    return (
        f"{wanted.device}.{wanted.name} was asked for {wanted.value:g} and reads back {now:g}; "
        "minimum and maximum of [activation] must be what the device takes"
    )
