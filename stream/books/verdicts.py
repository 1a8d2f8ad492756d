"""Which verdicts of the guard held when: for `run.json`, and line by line in `guard.jsonl`."""

from __future__ import annotations

from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

from models.guard.verdict import Verdict
from stream.books.json_lines import GUARD, JsonLines


class Verdicts:
    """The periods of a run in which the guard said the same.

    Decision: a verdict is another one if its word or the names of its findings are others. Context: the numbers in its
    words change with every molecule. Consequence: a period has the words of its end, `guard.jsonl` those of its
    beginning.

    Parameters
    ----------
    folder : Path
        Of the run.
    """

    def __init__(self, folder: Path) -> None:
        self._log = JsonLines(folder / GUARD)
        self._periods: list[tuple[int, Verdict]] = []
        self._last_frame = -1

    @property
    def newest(self) -> Verdict | None:
        """What holds now; None before the guard has looked."""
        return self._periods[-1][1] if self._periods else None

    def hear(self, verdict: Verdict) -> None:
        """Take what holds from its frame on. Raises StorageFault if a new period cannot be logged."""
        self.reach(verdict.frame)
        if self.newest is not None and _names(self.newest) == _names(verdict):
            self._periods[-1] = (self._periods[-1][0], verdict)
            return
        self._periods.append((verdict.frame, verdict))
        self._log.add({"first_frame": verdict.frame, **verdict.header()})

    def reach(self, frame: int) -> None:
        """Note how far the run is analysed."""
        self._last_frame = max(self._last_frame, frame)

    def summary(self) -> list[dict[str, Any]]:
        """Return for `run.json` what held from frame to frame, both inclusive; before the first nothing was known."""
        ends = [max(first, after - 1) for (first, _), (after, _) in pairwise(self._periods)] + [self._last_frame]
        return [_told(first, end, one) for (first, one), end in zip(self._periods, ends, strict=False)]


def _names(verdict: Verdict) -> tuple[object, ...]:
    return (verdict.word, {finding.name: finding.word for finding in verdict.findings})


def _told(first: int, last: int, verdict: Verdict) -> dict[str, Any]:
    return {
        "word": verdict.word, "first_frame": first, "last_frame": last, "cause": verdict.cause,
        "remedy": verdict.remedy, "molecules": verdict.molecules,
        "findings": [asdict(finding) for finding in verdict.findings],
    }  # fmt: skip
