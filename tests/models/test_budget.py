"""A training ends when its time is over, however fast the machine is, and is validated at even intervals."""

from dataclasses import dataclass, field

import pytest

from models.budget import MOST_STEPS, Budget, Evenly
from models.recipe import Recipe


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Stub:
    """As much of a trainer as a budget looks at."""

    step: int = 0
    recipe: Recipe = field(default_factory=lambda: Recipe(steps=MOST_STEPS))


def run(seconds_per_step: list[float], budget: Budget, clock: Clock, trainer: Stub) -> None:
    """Make steps, ten a line, until the schedule is at its end; the last rate lasts."""
    while trainer.step < trainer.recipe.steps:
        for _ in range(min(10, trainer.recipe.steps - trainer.step)):
            clock.now += seconds_per_step[min(trainer.step, len(seconds_per_step) - 1)]
            trainer.step += 1
        budget(trainer, {})  # type: ignore[arg-type]


@pytest.mark.parametrize("rates", [[0.1], [0.1] * 300 + [0.4], [0.4] * 50 + [0.1]])
def test_it_ends_in_time_on_a_machine_that_changes(rates: list[float]) -> None:
    clock, trainer = Clock(), Stub()
    budget = Budget(60, clock=clock)
    run(rates, budget, clock, trainer)
    assert budget.spent_s == pytest.approx(60, abs=10 * max(rates))
    assert trainer.step == trainer.recipe.steps


def test_what_earlier_processes_spent_counts_and_their_rate_is_the_first_plan() -> None:
    clock, trainer = Clock(), Stub(step=200)
    budget = Budget(60, spent_s=20, first_step=200, clock=clock)
    budget(trainer, {})  # type: ignore[arg-type]
    assert trainer.recipe.steps == 600
    run([0.1], budget, clock, trainer)
    assert budget.spent_s == pytest.approx(60, abs=1)


def test_a_budget_that_is_spent_ends_at_once() -> None:
    trainer = Stub(step=200)
    Budget(60, spent_s=60, first_step=200, clock=Clock())(trainer, {})  # type: ignore[arg-type]
    assert trainer.recipe.steps == 200


def test_it_is_validated_before_the_first_step_and_evenly() -> None:
    clock, trainer = Clock(), Stub()
    due = Evenly(Budget(60, clock=clock), 4)
    said = []
    for trainer.step in range(59):
        said.append(due(trainer))  # type: ignore[arg-type]
        clock.now += 1
    assert [step for step, now in enumerate(said) if now] == [0, 15, 30, 45]
