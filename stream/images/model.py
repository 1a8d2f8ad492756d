"""`[image] model` -> a file that draws images, for this rig."""

from __future__ import annotations

from pathlib import Path

from export.card import Card
from stream.config import EngineSettings, Rig
from stream.named_model import engine_beside, gives, named_model
from stream.suitability import refuse_outside

DRAWS = "image"
"""Output that only models that draw images have."""


def draws_images(card: Card) -> bool:
    """Return whether a model draws images."""
    return gives(card, DRAWS)


def image_engine(rig: Rig) -> EngineSettings:
    """Return where the layer's network runs."""
    return engine_beside(rig, rig.image.threads)


def image_model(rig: Rig) -> tuple[Path, Card]:
    """Return the file of the layer's model and its card.

    Raises
    ------
    ModelError, SampleSpaceError
        There is none, it draws no images, or it was not trained for the rig.
    """
    name = rig.image.model
    assert name is not None, "[image] model is not given"
    path, card = named_model("image", name, image_engine(rig), DRAWS, "draws no images", "deep-storm-light")
    refuse_outside(rig, card)
    return path, card
