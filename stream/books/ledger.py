"""Where each frame is: received -> ringed or spilled -> analysed -> written -> published; every gap explained.

The source process and the analyzer each keep a ledger of what they saw and merge them: ranges are sets, so the order
in which news arrives does not matter.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from stream.books.ranges import Ranges
from stream.errors import InputError, StorageFault

VERSION = 1
STAGES = ("received", "ringed", "spilled", "recorded", "imaged", "analysed", "written", "published")
BY_REASON: tuple[Literal["skipped", "missing", "suspicious"], ...] = ("skipped", "missing", "suspicious")
COUNTER_GAP = "camera counter gap"
OVERLOAD = "overload"
REPEATED = "refused: index repeated"
BACKWARDS = "refused: index went backwards"


def _all(by_reason: dict[str, Ranges]) -> Ranges:
    together = Ranges()
    for ranges in by_reason.values():
        together.update(ranges)
    return together


class Ledger:
    """Absolute frame indices by what happened to them.

    Parameters
    ----------
    verifiable : bool
        True where the index is the camera's own counter, so that a gap means a lost frame.
    newest : int
        Highest index received so far, for a ledger that continues another one; -1 if none.

    Attributes
    ----------
    received, ringed, spilled, recorded, imaged, analysed, written, published : Ranges
        Frames that came this far. Ringed and spilled say where a frame has waited; recorded, that its pixels are kept;
        imaged, that it is in the image layer.
    skipped : dict of str to Ranges
        Received frames that are not analysed, by reason.
    missing : dict of str to Ranges
        Frames that the camera counted and nobody received, by reason.
    suspicious : dict of str to Ranges
        Received frames before which something may have been lost, by reason; no frame is missing for it.
    refused : dict of str to int
        Number of frames that were turned away, by reason; their index is not new, so it cannot stand for them.
    ended : str
        "running", "finished", "interrupted" or "fault: ...".
    """

    def __init__(self, verifiable: bool, newest: int = -1) -> None:
        self.verifiable = verifiable
        self.newest = newest
        self.received, self.ringed, self.spilled = Ranges(), Ranges(), Ranges()
        self.recorded, self.imaged = Ranges(), Ranges()
        self.analysed, self.written, self.published = Ranges(), Ranges(), Ranges()
        self.skipped: dict[str, Ranges] = {}
        self.missing: dict[str, Ranges] = {}
        self.suspicious: dict[str, Ranges] = {}
        self.refused: dict[str, int] = {}
        self.ended = "running"
        self._overload_from = 0

    def receive(self, index: int) -> bool:
        """Note a frame from the camera; return False if it is refused because its index is not above the last one.

        A gap is noted as missing where the index is the camera's own counter.
        """
        if index <= self.newest:
            self.refuse(REPEATED if index == self.newest else BACKWARDS)
            return False
        if self.verifiable and index > self.newest + 1 and self.newest >= 0:
            self.missing.setdefault(COUNTER_GAP, Ranges()).add(self.newest + 1, index - 1)
        self.received.add(index)
        self.newest = index
        return True

    def refuse(self, reason: str, frames: int = 1) -> None:
        """Count frames that are turned away."""
        self.refused[reason] = self.refused.get(reason, 0) + frames

    def skip(self, first: int, last: int, reason: str) -> None:
        """Note that the received frames `first`..`last` (inclusive) will not be analysed, and why."""
        self.skipped.setdefault(reason, Ranges()).add(first, last)

    def note(self, name: Literal["skipped", "missing", "suspicious"], found: Mapping[str, Ranges]) -> None:
        """Add what was found to one of the tables by reason."""
        mine: dict[str, Ranges] = getattr(self, name)
        for reason, ranges in found.items():
            mine.setdefault(reason, Ranges()).update(ranges)

    def skip_overtaken(self) -> Ranges:
        """Note as overload, and return, what was received before the last analysed frame and not analysed.

        For policy "live", where frames are analysed in order: what was passed over is not coming back.
        """
        analysed = self.analysed.last
        if analysed is None or min(analysed, self.newest) < self._overload_from:
            return Ranges()
        last = min(analysed, self.newest)  # news of what was received may come later than the frames themselves
        overtaken = self.received.within(self._overload_from, last).difference(self.analysed)
        for ranges in self.skipped.values():
            overtaken = overtaken.difference(ranges)
        for begin, end in overtaken:
            self.skip(begin, end, OVERLOAD)
        self._overload_from = last + 1
        return overtaken

    def analyse(self, indices: Iterable[int]) -> None:
        """Note frames as analysed. They came out of the ring, even if the news of it is still on its way."""
        for index in indices:
            for stage in (self.received, self.ringed, self.analysed):
                stage.add(index)

    def all_skipped(self) -> Ranges:
        """Return what was skipped, whatever the reason."""
        return _all(self.skipped)

    def waiting(self) -> Ranges:
        """Return what was received and is neither analysed nor skipped."""
        return self.received.difference(self.analysed).difference(self.all_skipped())

    def unaccounted(self) -> Ranges:
        """Return what was received and is neither analysed, nor skipped, nor waiting in ring or spool."""
        nowhere = self.received.difference(self.ringed).difference(self.spilled)
        return nowhere.difference(self.analysed).difference(self.all_skipped()) if nowhere else nowhere

    def check(self) -> list[str]:
        """Say what does not add up, one sentence each; an empty list means that every frame is accounted for."""
        skipped, missing = self.all_skipped(), _all(self.missing)
        wrong = {
            "received but nowhere": self.unaccounted(),
            "analysed but never received": self.analysed.difference(self.received),
            "imaged but never received": self.imaged.difference(self.received),
            "skipped but never received": skipped.difference(self.received),
            "both analysed and skipped": skipped.difference(skipped.difference(self.analysed)),
            "both missing and received": missing.difference(missing.difference(self.received)),
            "written but not analysed": self.written.difference(self.analysed),
            "published but not analysed": self.published.difference(self.analysed),
        }
        return [f"{ranges.total} frames are {what}: {ranges.to_list()}" for what, ranges in wrong.items() if ranges]

    def merge(self, other: Ledger) -> None:
        """Add what another ledger of the same run knows; `other` holds only news, so that refusals are counted once."""
        for stage in STAGES:
            getattr(self, stage).update(getattr(other, stage))
        for name in BY_REASON:
            self.note(name, getattr(other, name))
        for reason, count in other.refused.items():
            self.refused[reason] = self.refused.get(reason, 0) + count
        self.newest = max(self.newest, other.newest)

    def summary(self) -> dict[str, Any]:
        """Return the number of frames per stage and reason; `lag` is received - analysed - skipped."""
        skipped = {reason: ranges.total for reason, ranges in self.skipped.items()}
        return {stage: getattr(self, stage).total for stage in STAGES} | {
            "skipped": skipped,
            "missing": {reason: ranges.total for reason, ranges in self.missing.items()},
            "suspicious": {reason: ranges.total for reason, ranges in self.suspicious.items()},
            "refused": dict(self.refused),
            "waiting_in_spool": self.spilled.difference(self.ringed).total,
            "lag": self.received.total - self.analysed.total - sum(skipped.values()),
            "unaccounted": self.unaccounted().total,
            "verifiable": self.verifiable,
        }

    def write(self, path: Path, ended: str | None = None) -> None:
        """Write the ledger as JSON, whole or not at all; `ended` says how the run ended, if it has.

        Raises
        ------
        StorageFault
            It could not be written.
        """
        self.ended = self.ended if ended is None else ended
        document: dict[str, Any] = {"version": VERSION, "ended": self.ended, "verifiable": self.verifiable}
        document |= {"newest": self.newest, "totals": self.summary()}
        document |= {stage: getattr(self, stage).to_list() for stage in STAGES}
        for name in BY_REASON:
            document[name] = {reason: ranges.to_list() for reason, ranges in getattr(self, name).items()}
        document |= {"refused": self.refused, "unaccounted": self.unaccounted().to_list()}
        partial = path.with_name(path.name + ".tmp")
        try:
            partial.write_text(json.dumps(document), encoding="utf-8")
            partial.replace(path)
        except OSError as error:
            raise StorageFault(
                f"the ledger {path} could not be written: {error.strerror}",
                limit="the folder must exist, be writable and have room for a few kB",
                remedy="free space on that disk; the ledger of a moment before is still there",
            ) from error

    @classmethod
    def read(cls, path: Path) -> Ledger:
        """Read a ledger that `write` wrote.

        Raises
        ------
        InputError
            The file is not a ledger.
        """
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            return cls._from_document(document)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"{path} cannot be read as a ledger: {error!r}",
                limit=f"a ledger is JSON of version {VERSION}, written by a run",
                remedy="give the ledger.json of a run's output folder",
            ) from error

    @classmethod
    def _from_document(cls, document: dict[str, Any]) -> Ledger:
        if document["version"] != VERSION:
            raise ValueError(f"version {document['version']}")
        ledger = cls(document["verifiable"], document["newest"])
        for stage in STAGES:
            getattr(ledger, stage).update(document[stage])
        for name in BY_REASON:  # a ledger of before there were suspicious frames has none
            setattr(ledger, name, {reason: Ranges(ranges) for reason, ranges in document.get(name, {}).items()})
        ledger.refused, ledger.ended = document["refused"], document["ended"]
        return ledger
