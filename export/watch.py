"""Watching a training: validation on fixed scenes now and then, as lines of JSON, as curves, and for TensorBoard."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.util import find_spec
from math import isfinite
from pathlib import Path
from typing import Any

from export.evaluate import validate
from models.train import LOG, Trainer

Due = Callable[[Trainer], bool]
"""Whether it is time to validate."""
VALIDATION = "validation.jsonl"
NICE_TO_HAVE = {"matplotlib": "curves.png", "tensorboard": "events for TensorBoard"}
"""Libraries that a machine for training may lack, and what they write; the logs need none."""


class Validation:
    """Hears every line of the log; validates when it is due and after the last step.

    Parameters
    ----------
    folder : Path
        Of the training; gets `validation.jsonl`, and what `NICE_TO_HAVE` says.
    due : Due
        Every 2,000 steps unless told otherwise.

    Attributes
    ----------
    missing : dict of str to str
        What of `NICE_TO_HAVE` is not installed.
    """

    def __init__(self, folder: Path, due: Due = lambda trainer: trainer.step % 2000 == 0) -> None:
        self._folder, self._due = folder, due
        self.missing = {name: what for name, what in NICE_TO_HAVE.items() if find_spec(name) is None}
        self._board = None if "tensorboard" in self.missing else _board(folder)

    def __enter__(self) -> Validation:
        return self

    def __exit__(self, *_: object) -> None:
        if self._board:
            self._board.close()

    def __call__(self, trainer: Trainer, line: dict[str, float]) -> None:
        """Take a line of the log."""
        step = trainer.step
        self._tell_board("training", line, step)
        if not self._due(trainer) and step != trainer.recipe.steps:
            return
        figures = {name: value for name, value in validate(trainer).items() if isfinite(value)}
        self._tell_board("validation", figures, step)
        with (self._folder / VALIDATION).open("a") as log:
            log.write(json.dumps({"step": step, **figures}) + "\n")
        if "matplotlib" not in self.missing and (self._folder / LOG).exists():  # none before the first step
            from export.training_curves import draw

            draw(self._folder, (LOG, VALIDATION))

    def _tell_board(self, group: str, figures: dict[str, float], step: int) -> None:
        if self._board:
            for name, value in figures.items():
                self._board.add_scalar(f"{group}/{name}", value, step)


def _board(folder: Path) -> Any:
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder))
