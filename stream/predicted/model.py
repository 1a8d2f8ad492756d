"""`[prediction] model` -> a file that predicts dense images."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from export.card import Card
from stream import zoo
from stream.config import EngineSettings, Rig
from stream.engines import open_engine
from stream.errors import ModelError

PREDICTS = "prediction"
"""Output that only models which predict dense images have."""


def predicts_images(card: Card) -> bool:
    """Return whether a model predicts dense images."""
    return PREDICTS in (port.name for port in card.outputs)


def prediction_engine(rig: Rig) -> EngineSettings:
    """Return where the network runs: as the localizer, but in one process, on one thread."""
    return rig.engine.model_copy(update={"processes": 1, "tiles": "all", "threads": 1})


def prediction_model(rig: Rig) -> tuple[Path, Card]:
    """Return the file of the model that predicts, and its card. Raises ModelError if there is none."""
    name = rig.prediction.model
    assert name is not None, "[prediction] model is not given"
    path = zoo.find(name, "[prediction] model")
    with closing(open_engine(path, prediction_engine(rig))) as engine:
        card = engine.card
    if not predicts_images(card):
        raise ModelError(
            f"[prediction] model = {name!r} ({card.title}) predicts no dense images",
            limit=f"it gives {', '.join(port.name for port in card.outputs)}",
            remedy="livesmlm train anna-palm, then livesmlm export",
        )
    return path, card
