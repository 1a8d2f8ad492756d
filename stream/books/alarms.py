"""Alarms: what somebody should look at now, since when, and what to do about it.

    silent -> suspected -> raised -> silent
       ^          |
       +----------+

A rule finds something, or not, at each report. Decision: what is found must stay for a while before it is raised, and
be gone for a while before it is cleared, and a raised alarm is held against a looser limit. Context: numbers beside a
microscope flicker, and an alarm that does is switched off. Consequence: an alarm is some seconds late.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Level = Literal["amber", "red"]
"""amber: look at it; red: data is lost or worthless if nothing is done."""
KEPT = 500
"""Lines of the log that run.json gets; all of them are in alarms.jsonl."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule has found.

    Parameters
    ----------
    level : {"amber", "red"}
    what : str
        In words, with value and limit.
    remedy : str
        What to do.
    """

    level: Level
    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What the rules look at.

    Parameters
    ----------
    now_s : float
        Monotonic.
    health : mapping
        The header of `health`.
    statistics : mapping
        The newest header of `statistics`; empty before the first.
    optics : mapping
        Facts of the newest report on the optics; empty where they are not watched.
    """

    now_s: float
    health: Mapping[str, Any]
    statistics: Mapping[str, Any] = field(default_factory=dict)
    optics: Mapping[str, Any] = field(default_factory=dict)


class Rule(Protocol):
    """Looks for one thing."""

    def __call__(self, seen: Seen, raised: bool) -> Finding | None:
        """Return what is found; where `raised`, by the looser limit."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A rule and its patience.

    Parameters
    ----------
    rule : Rule
    raise_s, clear_s : float
        So long it must find something, and nothing, before the alarm is raised and cleared.
    """

    rule: Rule
    raise_s: float = 4.0
    clear_s: float = 10.0


@dataclass(slots=True)
class _State:
    finding: Finding | None = None
    found_s: float | None = None
    missed_s: float | None = None
    since_s: float | None = None


class Alarms:
    """Holds the rules against each report.

    Parameters
    ----------
    rules : mapping of name to Watched
    note : callable
        Told of each alarm that is raised, turns red, or is cleared: a line of the log.
    began_s : float
        Start of the run, on the clock of `Seen.now_s`.

    Attributes
    ----------
    log : list of dict
        The first lines that were noted.
    """

    def __init__(
        self, rules: Mapping[str, Watched], note: Callable[[Mapping[str, Any]], None], began_s: float = 0.0
    ) -> None:
        self._rules, self._note, self._began_s = rules, note, began_s
        self._states = {name: _State() for name in rules}
        self.log: list[dict[str, Any]] = []

    def look(self, seen: Seen) -> list[dict[str, Any]]:
        """Return the raised alarms, the gravest first: name, since_s (into the run), level, what, remedy."""
        for name, watched in self._rules.items():
            self._update(name, watched, seen)
        raised = [(name, state) for name, state in self._states.items() if state.since_s is not None]
        raised.sort(key=lambda item: (item[1].finding is None or item[1].finding.level != "red", item[1].since_s))
        return [_told(name, state) for name, state in raised]

    def _update(self, name: str, watched: Watched, seen: Seen) -> None:
        state = self._states[name]
        finding = watched.rule(seen, state.since_s is not None)
        if finding is None:
            state.found_s = None
            state.missed_s = seen.now_s if state.missed_s is None else state.missed_s
            if state.since_s is not None and seen.now_s - state.missed_s >= watched.clear_s:
                self._write(seen.now_s, "cleared", name, state)
                self._states[name] = _State()
            return
        worse = state.finding is not None and (state.finding.level, finding.level) == ("amber", "red")
        state.finding, state.missed_s = finding, None
        state.found_s = seen.now_s if state.found_s is None else state.found_s
        if state.since_s is None and seen.now_s - state.found_s >= watched.raise_s:
            state.since_s = round(seen.now_s - self._began_s, 1)
            self._write(seen.now_s, "raised", name, state)
        elif state.since_s is not None and worse:
            self._write(seen.now_s, "worse", name, state)

    def _write(self, now_s: float, event: str, name: str, state: _State) -> None:
        line = {"at_s": round(now_s - self._began_s, 1), "event": event, **_told(name, state)}
        self._note(line)
        if len(self.log) < KEPT:
            self.log.append(line)


def _told(name: str, state: _State) -> dict[str, Any]:
    assert state.finding is not None, "an alarm that is raised was found"
    return {
        "name": name, "since_s": state.since_s, "level": state.finding.level, "what": state.finding.what,
        "remedy": state.finding.remedy,
    }  # fmt: skip
