"""A training that ends in time: its schedule is planned anew from the steps that the machine makes.

| what | when |
|---|---|
| the first plan | after the first line of the log, while the learning rate still warms up |
| a new plan | with every line: a machine that has other work to do makes fewer steps, and the cosine still ends |
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.train import Trainer

Clock = Callable[[], float]
MOST_STEPS = 10_000_000
"""Of a training whose rate is not known yet."""


class Budget:
    """Seconds of a training; hears every line of its log.

    Parameters
    ----------
    total_s : float
        All that it may last.
    spent_s : float
        What went by in earlier processes.
    first_step : int
        Where this process begins.
    clock : Clock
        Seconds that only grow.
    """

    def __init__(
        self, total_s: float, spent_s: float = 0.0, first_step: int = 0, clock: Clock = time.monotonic
    ) -> None:
        self.total_s, self._before_s, self._first, self._clock = total_s, spent_s, first_step, clock
        self._began = clock()

    @property
    def spent_s(self) -> float:
        """What went by, all processes together."""
        return self._before_s + self._clock() - self._began

    @property
    def left_s(self) -> float:
        """What is left; 0 if it is over."""
        return max(0.0, self.total_s - self.spent_s)

    def __call__(self, trainer: Trainer, line: dict[str, float]) -> None:
        """Plan the schedule's length: as many steps as fit into what is left, at the rate of this process so far.

        Before its first step that of the earlier ones counts; before any step nothing is known.
        """
        here = trainer.step - self._first
        seconds, steps = (self.spent_s - self._before_s, here) if here else (self._before_s, self._first)
        more = int(self.left_s * steps / seconds) if seconds > 0 and steps else MOST_STEPS
        trainer.recipe = replace(trainer.recipe, steps=trainer.step + more)


class Evenly:
    """Says when to validate: before the first step, then so many times at even intervals of a budget.

    Parameters
    ----------
    budget : Budget
    times : int
    """

    def __init__(self, budget: Budget, times: int) -> None:
        self._budget, self._times = budget, times
        self._next = self._passed() + 1

    def __call__(self, trainer: Trainer) -> bool:
        """Tell whether it is time."""
        if trainer.step and self._passed() < self._next:
            return False
        self._next = self._passed() + 1
        return True

    def _passed(self) -> int:
        return int(self._times * self._budget.spent_s / self._budget.total_s)
