"""What the guard says: one word, the likely cause, what to do, and the findings behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Word = Literal["inside", "drifting", "outside"]
SEVERITY: dict[Word, int] = {"inside": 0, "drifting": 1, "outside": 2}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as in the training.

    Parameters
    ----------
    name : str
        What it is about, e.g. "gain", "astigmatism", "density": a finding of the same name replaces an older one.
    word : {"drifting", "outside"}
        Beyond doubt but tolerable, or beyond what the network can be trusted with.
    cause : str
        In words, with value and limit: "gain is 0.80 times what the rig says".
    remedy : str
        What to do.
    strength : float
        How far beyond its limit: the strongest finding of the worst word gives the verdict its cause.
    evidence : dict of str to float
        The numbers behind it.
    """

    name: str
    word: Word
    cause: str
    remedy: str
    strength: float = 1.0
    evidence: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What holds from a frame on.

    Parameters
    ----------
    word : {"inside", "drifting", "outside"}
    frame : int
        The newest one that it rests on.
    molecules : int
        Molecules that were looked at so far.
    findings : tuple of Finding
        The strongest first; none where all is as in the training.
    """

    word: Word
    frame: int
    molecules: int
    findings: tuple[Finding, ...] = ()

    @property
    def cause(self) -> str:
        """The likely cause in words; empty where there is none."""
        return self.findings[0].cause if self.findings else ""

    @property
    def remedy(self) -> str:
        """What to do about it; empty where there is nothing to do."""
        return self.findings[0].remedy if self.findings else ""

    def header(self) -> dict[str, Any]:
        """Return the header of the topic `guard`."""
        return {
            "verdict": self.word, "cause": self.cause, "remedy": self.remedy, "frame": self.frame,
            "molecules": self.molecules, "findings": [asdict(finding) for finding in self.findings],
        }  # fmt: skip


def verdict(findings: Sequence[Finding], frame: int, molecules: int) -> Verdict:
    """Return the verdict of some findings: the worst of their words, the strongest cause first."""
    order = sorted(findings, key=lambda one: (-SEVERITY[one.word], -one.strength))
    return Verdict(order[0].word if order else "inside", frame, molecules, tuple(order))
