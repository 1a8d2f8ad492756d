"""`[image] model` -> a file that draws images, for this rig."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from export.card import Card
from stream import zoo
from stream.config import EngineSettings, Rig
from stream.engines import open_engine
from stream.errors import ModelError
from stream.suitability import refuse_outside

DRAWS = "image"
"""Output that only models that draw images have."""


def draws_images(card: Card) -> bool:
    """Return whether a model draws images."""
    return DRAWS in (port.name for port in card.outputs)


def card_of(path: Path) -> Card:
    """Return the card of a model. Raises ModelError if it is none of ours."""
    with closing(open_engine(path, EngineSettings())) as engine:
        return engine.card


def image_engine(rig: Rig) -> EngineSettings:
    """Return where the layer's network runs: as the localizer, but in one process, with its own threads."""
    return rig.engine.model_copy(update={"processes": 1, "tiles": "all", "threads": rig.image.threads})


def image_model(rig: Rig) -> tuple[Path, Card]:
    """Return the file of the layer's model and its card.

    Raises
    ------
    ModelError, SampleSpaceError
        There is none, it draws no images, or it was not trained for the rig.
    """
    name = rig.image.model
    assert name is not None, "[image] model is not given"
    path = zoo.find(name, "[image] model")
    with closing(open_engine(path, image_engine(rig))) as engine:
        card = engine.card
    if not draws_images(card):
        raise ModelError(
            f"[image] model = {name!r} ({card.title}) draws no images",
            limit=f"it gives {', '.join(port.name for port in card.outputs)}",
            remedy="livesmlm train deep-storm-light, then livesmlm export",
        )
    refuse_outside(rig, card)
    return path, card
