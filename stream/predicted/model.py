"""`[prediction] model` -> a file that predicts dense images."""

from __future__ import annotations

from pathlib import Path

from export.card import Card
from stream.config import EngineSettings, Rig
from stream.named_model import engine_beside, gives, named_model

PREDICTS = "prediction"
"""Output that only models which predict dense images have."""


def predicts_images(card: Card) -> bool:
    """Return whether a model predicts dense images."""
    return gives(card, PREDICTS)


def prediction_engine(rig: Rig) -> EngineSettings:
    """Return where the network runs."""
    return engine_beside(rig, threads=1)


def prediction_model(rig: Rig) -> tuple[Path, Card]:
    """Return the file of the model that predicts, and its card. Raises ModelError if there is none."""
    name = rig.prediction.model
    assert name is not None, "[prediction] model is not given"
    return named_model("prediction", name, prediction_engine(rig), PREDICTS, "predicts no dense images", "anna-palm")
