"""What a run does to the microscope: the activation loop, the conditions to stop, and the record of both."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from stream.acquisition.acquire import Acquisition
from stream.actuator import Setting
from stream.books.json_lines import JsonLines
from stream.errors import RigError
from stream.feedback import law
from stream.feedback.action import Action
from stream.feedback.conditions import IN_A_ROW, met
from stream.feedback.loop import Activation, setting
from stream.feedback.settings import ActivationSettings, StopSettings
from stream.links.reports import Report
from stream.stages.stage import Located

TOLD = ("maximum", "fault", "stop")
"""Kinds of action that a person is told at once; maximum only the first time."""


def left_behind(settings: ActivationSettings) -> Setting | None:
    """Return what the source process leaves behind, however the run ends; None if nothing is set."""
    return setting(settings, law.after(settings)) if settings.mode == "on" else None


def refuse_without_devices(settings: ActivationSettings, actuates: bool) -> None:
    """Raise RigError if the rig wants a device set and the source has none."""
    if settings.mode == "on" and not actuates:
        raise RigError(
            f"[activation] mode = 'on' would set {settings.device}.{settings.property}, "
            "but this source has no devices to set",
            limit="a simulated camera and Micro-Manager have",
            remedy="set mode to dry-run or off, or take the frames from a source that has",
        )


class Steering:
    """Hears what was located, acts, and keeps the record.

    Parameters
    ----------
    activation : ActivationSettings
    stop : StopSettings
    acquisition : Acquisition
    log : JsonLines
    publish : callable
        Publishes an action.
    tell : callable
        Told in words what is not routine.
    now : callable
        The time of day.

    Attributes
    ----------
    stopped : str
        The condition of `[stop]` that was met, in words; empty until then.
    """

    def __init__(
        self,
        activation: ActivationSettings,
        stop: StopSettings,
        acquisition: Acquisition,
        log: JsonLines,
        publish: Callable[[Mapping[str, Any]], None],
        tell: Callable[[str], None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings, self._stop, self._acquisition = activation, stop, acquisition
        self._log, self._publish, self._tell, self._now = log, publish, tell, now
        self._loop = None if activation.mode == "off" else Activation(activation, acquisition.set, self._record)
        self._localizations, self._frame, self._actions = 0, -1, dict[str, int]()
        self._newest: dict[str, Any] = {}
        self._resolutions_nm: deque[float | None] = deque(maxlen=IN_A_ROW)
        self.stopped = ""

    def begin(self) -> None:
        """Act before the first frame is taken."""
        if self._loop is not None:
            self._loop.begin()

    def hear(self, located: Located) -> None:
        """Count what was located, and act on it."""
        self._localizations += len(located.table)
        if len(located.index):
            self._frame = int(located.index[-1])
        if self._loop is not None:
            self._loop.hear(located)

    def hear_resolution(self, resolution_nm: float | None) -> None:
        """Keep an estimate of the resolution; None if none could be made."""
        self._resolutions_nm.append(resolution_nm)

    def serve(self) -> bool:
        """Hear what came of the settings; return True, once, if a condition of `[stop]` is now met."""
        while self._loop is not None and self._acquisition.answers:
            self._loop.answered(self._acquisition.answers.popleft())
        if self.stopped:
            return False
        at_maximum = self._loop.frames_at_maximum if self._loop else 0
        self.stopped = met(self._stop, self._localizations, at_maximum, self._resolutions_nm)
        if self.stopped:
            self._record(Action("stop", self._frame, self.stopped))
        return bool(self.stopped)

    def note(self, report: Report) -> None:
        """Record what somebody else did with what the run published."""
        self._record(Action(report.kind, report.frame, report.why, dry_run=report.dry_run))

    def end(self) -> None:
        """Hear the last answers, and say what was left behind; call it when the source process has ended."""
        self.serve()
        if self._loop is not None:
            self._loop.end()

    def summary(self) -> dict[str, Any]:
        """Return for run.json how many actions of each kind there were, the last one, and why the run was stopped."""
        return {"mode": self._settings.mode, "actions": self._actions, "last": self._newest, "stopped": self.stopped}

    def _record(self, action: Action) -> None:
        """Write and publish an action, and tell of it if it is not routine."""
        plain = action.to_dict(f"{self._now():%Y-%m-%dT%H:%M:%S.%fZ}")
        is_new = action.kind not in self._actions
        self._actions[action.kind] = self._actions.get(action.kind, 0) + 1
        self._newest = plain
        if action.kind in TOLD and (is_new or action.kind != "maximum"):
            self._tell(f"activation: {action.why}" if action.kind != "maximum" else self._at_maximum(action))
        self._publish(plain)
        self._log.add(plain)

    def _at_maximum(self, action: Action) -> str:
        would = "would reach" if action.dry_run else "has reached"
        return (
            f"activation: {self._settings.device}.{self._settings.property} {would} its maximum "
            f"{action.new:g} at frame {action.frame}, {action.why}"
        )
