"""One action at the microscope, or what would have been one: a message of topic `action`, a line of `actions.jsonl`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Kind = Literal["start", "change", "maximum", "after", "fault", "stop", "picture"]


@dataclass(frozen=True, slots=True)
class Action:
    """What was done and why.

    Parameters
    ----------
    kind : str
        start: before the first frame; change; maximum: a change that reached it; after: left behind at the end;
        fault: the device did not do as asked; stop: a condition of `[stop]` is met; picture: the super-resolved picture
        went into an acquisition of somebody else.
    frame : int
        Newest frame that had been taken when it was done, or that it rests on if nothing was set; -1 before the first.
    why : str
        In words.
    old, new : float or None
        Value before, and asked for, in the unit of the device; None where there is none.
    read_back : float or None
        What the device said; None if it was not asked.
    molecules : float or None
        Mean number in a frame that it rests on, after `[filter]`.
    frames : int
        Number of frames of that mean.
    dry_run : bool
        Nothing was set.
    """

    kind: Kind
    frame: int
    why: str
    old: float | None = None
    new: float | None = None
    read_back: float | None = None
    molecules: float | None = None
    frames: int = 0
    dry_run: bool = False

    def to_dict(self, time: str) -> dict[str, Any]:
        """Return plain scalars; `time` is when it was done, UTC, ISO 8601."""
        return {"time": time, **asdict(self)}
