"""`livesmlm evaluate`: each kind of model has its own judge."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from models.evaluation.report import Effort
from stream import zoo
from stream.bleaching.opening import counts_steps
from stream.commands.evaluate import localizers_in_terminal
from stream.commands.evaluate_colours import colours_in_terminal, tells_colours
from stream.commands.evaluate_crops import crops_in_terminal
from stream.commands.evaluate_images import images_in_terminal
from stream.commands.evaluate_prediction import predictions_in_terminal
from stream.commands.evaluate_traces import traces_in_terminal
from stream.config import EngineSettings
from stream.crops import localizes_in_crops
from stream.engines import open_engine
from stream.images.model import draws_images
from stream.predicted.model import predicts_images


def evaluate_in_terminal(models: list[str], effort: Effort, out: Path | None, as_json: bool) -> int:
    """Judge models of the kind of the first; returns the exit code.

    Raises
    ------
    ModelError
        There is no such model, or one is of another kind.
    OutputError
        Results cannot be written.
    """
    with closing(open_engine(zoo.find(models[0]), EngineSettings())) as engine:
        card = engine.card
    if draws_images(card):
        return images_in_terminal(models, effort.frames, out, as_json)
    if predicts_images(card):
        return predictions_in_terminal(models, out, as_json)
    if tells_colours(card):
        return colours_in_terminal(models, effort.emitters, out, as_json)
    if localizes_in_crops(card):
        return crops_in_terminal(models, effort.emitters, out, as_json)
    if counts_steps(card):
        return traces_in_terminal(models, effort.emitters, out, as_json)
    return localizers_in_terminal(models, effort, out, as_json)
