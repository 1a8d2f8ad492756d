"""What a user sees while a network is trained: time left, loss, what is reached, what more time would bring."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn

from models.budget import Budget
from models.learning_curve import forecast
from stream.own.plan import Plan

VALIDATION = "validation.jsonl"
"""In the folder of the training."""
Line = dict[str, float]
ERRORS = {"jaccard": "Jaccard", "rmse_lateral_nm": "lateral", "rmse_axial_nm": "axial"}
"""Figures that are foretold; the error of a Jaccard index is what it lacks of 1."""


def validated(path: Path) -> list[Line]:
    """Return the validated figures of a training, one for each step; a step that was done again counts once."""
    if not path.exists():
        return []
    lines = [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]
    return [*{line["step"]: line for line in lines}.values()]


def reached(line: Line) -> str:
    """Say what a validation found."""
    over = ", ".join(f"{line[name]:.2f}" for name in (f"over_bound_{axis}" for axis in "xyz") if name in line)
    crowd = ", ".join(_figure(name, line[name]) for name in ERRORS if name in line)
    return f"{crowd} at 1 molecule per µm²; alone, error over the Cramér-Rao bound {over or 'not known'}"


def foretold(lines: Sequence[Line], steps: float) -> str:
    """Say what the curve so far lets expect at a step, with intervals of 68 %; empty with too few points."""
    parts = []
    for name in ERRORS:
        known = [line for line in lines if name in line]
        flipped = name == "jaccard"
        errors = [1 - line[name] if flipped else line[name] for line in known]
        found = forecast([line["step"] for line in known], errors, steps)
        if found:
            low, high = (1 - found.high, 1 - found.low) if flipped else (found.low, found.high)
            value = 1 - found.value if flipped else found.value
            parts.append(f"{_figure(name, value)} ({_number(name, low)} to {_number(name, high)})")
    return ", ".join(parts)


def _figure(name: str, value: float) -> str:
    return f"{ERRORS[name]} {_number(name, value)}{'' if name == 'jaccard' else ' nm'}"


def _number(name: str, value: float) -> str:
    return f"{value:.3f}" if name == "jaccard" else f"{value:.1f}"


class Display:
    """A bar of the time, and a line for each validation; hears every line of the log. Use as a context manager.

    Parameters
    ----------
    plan : Plan
    budget : Budget
    """

    def __init__(self, plan: Plan, budget: Budget) -> None:
        self._log, self._budget = plan.training / VALIDATION, budget
        self._said = len(validated(self._log))
        self._progress = Progress(
            TextColumn("[bold]{task.description}"), BarColumn(), TextColumn("{task.fields[left]}"),
            TextColumn("[dim]{task.fields[state]}"), console=Console(),
        )  # fmt: skip
        self._task = self._progress.add_task("training", total=budget.total_s, left="", state="")

    def __enter__(self) -> Display:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, trainer: Any, line: Line) -> None:
        """Show the newest line, and what was validated since the last one."""
        left_s = self._budget.left_s
        loss = sum(value for name, value in line.items() if name not in ("step", "seconds"))
        state = f"step {trainer.step:,} of {trainer.recipe.steps:,}" + (f", loss {loss:.2f}" if line else "")
        left = f"{left_s / 60:.0f} min left" if left_s > 90 else f"{left_s:.0f} s left"
        self._progress.update(self._task, completed=self._budget.spent_s, left=left, state=state)
        lines = validated(self._log)
        for new in lines[self._said :]:
            self._say(f"step {new['step']:,}: {reached(new)}")
        if lines[self._said :] and trainer.step < trainer.recipe.steps:
            ahead = foretold(lines, trainer.recipe.steps)
            if ahead:
                self._say(f"  [dim]at the end, as the curve goes: {ahead}[/]")
        self._said = len(lines)

    def _say(self, text: str) -> None:
        self._progress.console.print(text, highlight=False)


def more_time(path: Path, minutes: float) -> str:
    """Say what as much time again would bring; empty with too few points."""
    lines = validated(path)
    ahead = foretold(lines, 2 * lines[-1]["step"]) if lines else ""
    remedy = f"--resume --minutes {2 * minutes:g}"
    return ahead and f"{minutes:g} minutes more ({escape(remedy)}), as the curve goes: {ahead}; 68 % intervals"
