"""A run's dealings with the process that measures its picture: hand over when it is free, hear, never wait.

Rows wait here until the process is free, and are shifted for drift only then: by what is known of the drift a little
later than the frames themselves.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.localizations import Localizations, concatenate
from stream.quality.watch import Rows
from stream.stages.stage import Located
from stream.worker import Answer, WorkerDied

REST = 49.0
"""After an estimate the process rests so many times as long as it worked: it takes a fiftieth of a processor."""
HAND_OVER_ROWS = 50_000
"""So many are handed over, though no estimate is due."""
MOST_ROWS = 1_000_000
"""That wait for a process which is late; those that do not fit in are not measured, and counted."""
LAST_WITHIN_S = 20.0
"""How long the end of a run waits for the last estimate."""

Places = tuple[NDArray[np.float32], NDArray[np.float32]]
Correct = Callable[[Localizations], Places]
"""A table -> x and y in nm, (n,) float32 each, without the drift that is known."""


class Measurer(Protocol):
    """Whoever measures; `WatchProcess` does."""

    idle: bool

    def send(self, rows: Rows, estimate: bool) -> None:
        """Take rows, and be asked for an estimate. Raises WorkerDied."""

    def poll(self, wait_s: float = 0.0) -> Answer[dict[str, Any]] | None:
        """Return the answer, if there is one within `wait_s`. Raises WorkerDied."""


def as_localized(table: Localizations) -> Places:
    """Return x and y of a table: no drift is known."""
    return np.asarray(table["x_nm"], np.float32), np.asarray(table["y_nm"], np.float32)


class LiveResolution:
    """Collects what was located and passes on each estimate.

    Parameters
    ----------
    measurer : Measurer
    every_s : float
        Between estimates, at least.
    found : callable
        Told of each estimate: the header of the topic `resolution`.
    tell : callable
        Told in words if nothing more will be measured, and, once, if positions gather somewhere in the pixels.
    correct : callable
        Shifts a table's positions by the drift that is known.
    clock : callable

    Attributes
    ----------
    newest : dict or None
        The last estimate.
    not_measured : int
        Localizations that did not fit in while the process was late.
    """

    def __init__(
        self,
        measurer: Measurer,
        every_s: float,
        found: Callable[[dict[str, Any]], None],
        tell: Callable[[str], None],
        correct: Correct = as_localized,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._measurer, self._every_s, self._clock = measurer, every_s, clock
        self._found, self._tell, self._correct = found, tell, correct
        self._waiting: list[Localizations] = []
        self._rows, self._unjudged, self._alive, self._warned = 0, False, True, False
        self._due_s = clock() + every_s
        self.newest: dict[str, Any] | None = None
        self.not_measured = 0

    def hear(self, located: Located) -> None:
        """Keep what was located until the process is free."""
        table = located.table
        if not self._alive or not len(table):
            return
        if self._rows + len(table) > MOST_ROWS:
            self.not_measured += len(table)
            return
        self._waiting.append(table)
        self._rows += len(table)

    def serve(self) -> None:
        """Take an answer, if there is one; hand over rows if it is time and the process is free."""
        if not self._alive:
            return
        try:
            self._take(self._measurer.poll())
            due = self._clock() >= self._due_s and (self._rows > 0 or self._unjudged)
            if self._measurer.idle and (due or self._rows >= HAND_OVER_ROWS):
                self._hand_over(due)
        except WorkerDied as error:
            self._end(f"{error}; the run goes on without it")

    def finish(self) -> None:
        """Get a last estimate, of all that was located."""
        until = self._clock() + LAST_WITHIN_S
        try:
            while self._alive and (self._rows or self._unjudged or not self._measurer.idle):
                if self._measurer.idle:
                    self._hand_over(estimate=True)
                self._take(self._measurer.poll(max(0.0, until - self._clock())))
                if not self._measurer.idle:
                    self._end(f"the last estimate of the resolution did not come within {LAST_WITHIN_S:g} s")
        except WorkerDied as error:
            self._end(str(error))

    def _hand_over(self, estimate: bool) -> None:
        table = concatenate(self._waiting)
        x_nm, y_nm = as_localized(table)
        still = (x_nm, y_nm) if self._correct is as_localized else self._correct(table)
        self._measurer.send(Rows(np.asarray(table["frame"], np.int64), x_nm, y_nm, *still), estimate)
        self._waiting, self._rows, self._unjudged = [], 0, not estimate
        if estimate:
            self._due_s = self._clock() + self._every_s

    def _take(self, answer: Answer[dict[str, Any]] | None) -> None:
        if answer is None or answer.estimate is None:
            return
        self._due_s = max(self._due_s, self._clock() + REST * answer.seconds)
        self.newest = answer.estimate | {"not_measured": self.not_measured, "seconds": round(answer.seconds, 4)}
        self._found(self.newest)
        if self.newest["subpixel"]["flat"] is False and not self._warned:
            self._warned = True
            self._tell(self.newest["subpixel"]["verdict"])

    def _end(self, why: str) -> None:
        self._alive, self._waiting, self._rows = False, [], 0
        self._tell(why)
