"""Do molecules stay on for longer or shorter than in the training: how many are there again one frame later.

With a mean on-time of tau frames tau / (tau + 1) of them are (`models/stays.py`).
"""

from __future__ import annotations

from models.guard.cusum import Share
from models.guard.verdict import Finding
from models.sample_space import Range

LONGER, MUCH_LONGER = 1.1, 2.0
SHORTER, MUCH_SHORTER = 0.5, 0.25
"""Molecules that are missed in a frame shorten what is measured, so half of the shortest is tolerated."""


class Staying:
    """Counts molecules of one frame, and those of them that the next one has too.

    Parameters
    ----------
    trained : Range
        On-times in frames.
    tests : int
        That share one false alarm in ten hours.
    """

    def __init__(self, trained: Range, tests: int) -> None:
        self._trained = trained
        self._long = Share(_again(LONGER * trained.high), _again(MUCH_LONGER * trained.high), tests)
        self._short = Share(1 - _again(SHORTER * trained.low), 1 - _again(MUCH_SHORTER * trained.low), tests)

    def take(self, seen: int, again: int) -> None:
        """Take the counts of a pair of frames."""
        self._long.count(again, seen)
        self._short.count(seen - again, seen)

    def findings(self) -> list[Finding]:
        """Say how long they stay on."""
        if self._long.raised:
            return [self._said(self._long.share, "long", "more excitation or a longer exposure; are there beads?")]
        if self._short.raised:
            return [self._said(1 - self._short.share, "short", "a shorter exposure; molecules that move are lost too")]
        return []

    def _said(self, again: float, word: str, remedy: str) -> Finding:
        on_time, low, high = again / max(1 - again, 1e-3), self._trained.low, self._trained.high
        return Finding(
            "on-time", "drifting",
            f"molecules stay on too {word}: {on_time:.2g} frames on average, the model knows {low:g} to {high:g}",
            remedy, max(on_time / high, low / max(on_time, 1e-3)), {"on_time_frames": on_time},
        )  # fmt: skip


def _again(on_time_frames: float) -> float:
    return on_time_frames / (on_time_frames + 1)
