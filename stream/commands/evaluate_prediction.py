"""`livesmlm evaluate` of models that predict dense images: beside the sparse image, by frames."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table

from stream import zoo
from stream.commands.console import ERR
from stream.commands.evaluation_file import keep
from stream.commands.training import needs_torch
from stream.config import EngineSettings
from stream.engine import Engine
from stream.engines import open_engine
from stream.errors import ModelError
from stream.predicted.model import predicts_images

if TYPE_CHECKING:
    from models.predicted.samples import Float32
    from models.predicted.scoring import Predict

FIELDS = 12
Scores = dict[str, dict[str, float]]
"""Frames -> figures."""


def predicting(engine: Engine) -> Predict:
    """Return a model that predicts, as it runs beside a microscope."""

    def predict(sparse: Float32, widefield: Float32, structure: Float32) -> tuple[Float32, Float32]:
        found = engine.run({"sparse": sparse, "widefield": widefield, "structure": structure})
        return np.asarray(found["prediction"], np.float32), np.asarray(found["error"], np.float32)

    return predict


def evaluate(name: str, fields: int = FIELDS) -> Scores:
    """Return the figures of a model on held-out simulated fields.

    Raises
    ------
    ModelError, InputError
        It predicts no dense images; or the extra `train` is not installed.
    """
    scoring = needs_torch("models.predicted.scoring")
    with closing(open_engine(zoo.find(name), EngineSettings(threads=1))) as engine:
        if not predicts_images(engine.card):
            raise ModelError(f"{name} predicts no dense images", remedy="evaluate other models by themselves")
        scores: Scores = scoring.by_frames(predicting(engine), engine.card.sample_space, fields)
        return scores


def predictions_in_terminal(models: list[str], out: Path | None, as_json: bool) -> int:
    """Print what was found, and write it as JSON; returns the exit code."""
    results = {name: evaluate(name) for name in models}
    text = keep(results, out)
    if as_json:
        Console().print_json(text)
        return 0
    for name, scores in results.items():
        Console().print(_table(name, scores))
    ERR.print(
        f"[dim]{FIELDS} simulated fields each; similarity to the dense image, 1 is the same; the guard says nothing of "
        "structures: trust the error map no farther than models/README.md shows[/]"
    )
    return 0


def _table(name: str, scores: Scores) -> Table:
    table = Table(title=name, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
    for column in ("frames", "prediction", "sparse image", "error", "usual error below"):
        table.add_column(column, justify="right")
    for frames, row in scores.items():
        figures = (row[key] for key in ("predicted", "sparse", "error", "usual_error"))
        table.add_row(frames, *(f"{figure:.2f}" for figure in figures))
    return table
