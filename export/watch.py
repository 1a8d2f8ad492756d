"""Watching a training: validation on fixed scenes now and then, as lines of JSON, as curves, and for TensorBoard."""

from __future__ import annotations

import json
from math import isfinite
from pathlib import Path

import matplotlib as mpl
from torch.utils.tensorboard import SummaryWriter

from export.evaluate import validate
from models.train import LOG, Trainer

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.ticker import MaxNLocator

VALIDATION, CURVES = "validation.jsonl", "curves.png"


class Validation:
    """Hears every line of the log; validates every `every` steps and after the last.

    Parameters
    ----------
    folder : Path
        Of the training; gets `validation.jsonl`, `curves.png` and TensorBoard's events.
    every : int
    """

    def __init__(self, folder: Path, every: int = 2000) -> None:
        self._folder, self._every, self._board = folder, every, SummaryWriter(str(folder))

    def __enter__(self) -> Validation:
        return self

    def __exit__(self, *_: object) -> None:
        self._board.close()

    def __call__(self, trainer: Trainer, line: dict[str, float]) -> None:
        """Take a line of the log."""
        step = trainer.step
        for name, value in line.items():
            self._board.add_scalar(f"training/{name}", value, step)
        if step % self._every and step != trainer.recipe.steps:
            return
        figures = {name: value for name, value in validate(trainer).items() if isfinite(value)}
        for name, value in figures.items():
            self._board.add_scalar(f"validation/{name}", value, step)
        with (self._folder / VALIDATION).open("a") as log:
            log.write(json.dumps({"step": step, **figures}) + "\n")
        draw(self._folder)


def draw(folder: Path) -> None:
    """Write `curves.png` from the logs of a training."""
    logs = [_read(folder / name) for name in (LOG, VALIDATION)]
    names = [name for log in logs for name in log[0] if name not in ("step", "seconds")] if all(logs) else []
    figure, panels = plt.subplots(-(-len(names) // 4), 4, figsize=(16, 2.6 * -(-len(names) // 4)), layout="constrained")
    for panel, name in zip(panels.flat, names, strict=False):
        log = next(log for log in logs if name in log[0])
        panel.plot([line["step"] for line in log], [line[name] for line in log], lw=1)
        panel.set(title=name, xlabel="step")
        panel.xaxis.set_major_locator(MaxNLocator(4))
        panel.grid(alpha=0.3)
    for panel in panels.flat[len(names) :]:
        panel.set_visible(False)
    figure.savefig(folder / CURVES, dpi=90)
    plt.close(figure)


def _read(path: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in path.read_text().splitlines()]
