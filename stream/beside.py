"""A run's dealings with a process that gathers what was located: hand over when it is free, hear, never wait.

Rows wait here until the process is free, and are shifted for drift only then: by what is known of the drift a little
later than the frames themselves.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.localizations import Localizations, concatenate
from stream.stages.stage import Located
from stream.worker import Answer, WorkerDied

HAND_OVER_ROWS = 50_000
"""So many are handed over, though no answer is due."""
MOST_ROWS = 1_000_000
"""That wait for a process which is late; those that do not fit in are missed, and counted."""
LAST_WITHIN_S = 20.0
"""How long the end of a run waits for the last answer."""
ALIVE_EVERY_S = 0.5

Places = tuple[NDArray[np.float32], NDArray[np.float32]]
Correct = Callable[[Localizations], Places]
"""A table -> x and y in nm, (n,) float32 each, without the drift that is known."""
T = TypeVar("T")


class Gatherer(Protocol[T]):
    """The process; a `Worker`."""

    idle: bool

    def poll(self, wait_s: float = 0.0) -> Answer[T] | None:
        """Return its answer, if there is one within `wait_s`. Raises WorkerDied."""

    def close(self) -> None:
        """End the process. May be called more than once."""


def as_localized(table: Localizations) -> Places:
    """Return x and y of a table: no drift is known."""
    return np.asarray(table["x_nm"], np.float32), np.asarray(table["y_nm"], np.float32)


class Beside(ABC, Generic[T]):
    """Collects what was located and passes on each answer.

    Parameters
    ----------
    process : Gatherer
    answer : str
        What it gives, in words.
    every_s : float
        Between answers, at least.
    rest : float
        After an answer the process rests so many times as long as it worked.
    tell : callable
        Told in words if no answer will come any more.
    clock : callable

    Attributes
    ----------
    missed : int
        Localizations that did not fit in while the process was late.
    """

    def __init__(
        self, process: Gatherer[T], answer: str, every_s: float, rest: float, tell: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._process, self._answer, self._every_s, self._rest = process, answer, every_s, rest
        self._tell, self._clock = tell, clock
        self._waiting: list[Localizations] = []
        self._rows, self._unanswered, self._alive = 0, False, True
        self._due_s = clock() + every_s
        self.missed = 0

    @abstractmethod
    def _send(self, table: Localizations, ask: bool) -> None:
        """Give the process rows, and ask for an answer or not; it is idle. Raises WorkerDied."""

    @abstractmethod
    def _hear(self, found: T, seconds: float) -> None:
        """Pass on an answer, and the seconds of a processor that it took."""

    def hear(self, located: Located) -> None:
        """Keep what was located until the process is free."""
        table = located.table
        if not self._alive or not len(table):
            return
        if self._rows + len(table) > MOST_ROWS:
            self.missed += len(table)
            return
        self._waiting.append(table)
        self._rows += len(table)

    def serve(self) -> None:
        """Take an answer, if there is one; hand over rows if it is time and the process is free."""
        if not self._alive:
            return
        try:
            self._take(self._process.poll())
            due = self._clock() >= self._due_s and (self._rows > 0 or self._unanswered)
            if self._process.idle and (due or self._rows >= HAND_OVER_ROWS):
                self._hand_over(due)
        except WorkerDied as error:
            self._end(f"{error}; the run goes on without it")

    def finish(self, alive: Callable[[], object] = lambda: None) -> None:
        """Get a last answer, of all that was located; `alive` is called now and then."""
        left_s = LAST_WITHIN_S
        try:
            while self._alive and (self._rows or self._unanswered or not self._process.idle):
                if self._process.idle:
                    self._hand_over(ask=True)
                self._take(self._process.poll(min(ALIVE_EVERY_S, left_s)))
                left_s -= ALIVE_EVERY_S
                if not self._process.idle and left_s <= 0:
                    self._end(f"the last {self._answer} did not come within {LAST_WITHIN_S:g} s")
                alive()
        except WorkerDied as error:
            self._end(str(error))
        except KeyboardInterrupt:
            self._end(f"the last {self._answer} was given up at once")

    def _hand_over(self, ask: bool) -> None:
        self._send(concatenate(self._waiting), ask)
        self._waiting, self._rows, self._unanswered = [], 0, not ask
        if ask:
            self._due_s = self._clock() + self._every_s

    def _take(self, answer: Answer[T] | None) -> None:
        if answer is not None and answer.estimate is not None:
            self._due_s = max(self._due_s, self._clock() + self._rest * answer.seconds)
            self._hear(answer.estimate, answer.seconds)

    def _end(self, why: str) -> None:
        self._alive, self._waiting, self._rows = False, [], 0
        self._process.close()  # nobody hears it any more, and it must not draw while its pictures are written
        self._tell(why)
