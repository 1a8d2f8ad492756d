"""A model that a section of the rig names for what it gives; refused if it gives something else."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from export.card import Card
from stream import zoo
from stream.config import EngineSettings, Rig
from stream.engines import open_engine
from stream.errors import ModelError


def engine_beside(rig: Rig, threads: int) -> EngineSettings:
    """Return where a network beside the localizer runs: as that one, but in one process, with its own threads."""
    return rig.engine.model_copy(update={"processes": 1, "tiles": "all", "threads": threads})


def gives(card: Card, output: str) -> bool:
    """Return whether a model has an output of this name."""
    return output in (port.name for port in card.outputs)


def named_model(
    section: str, name: str, engine: EngineSettings, output: str, lacks: str, system: str
) -> tuple[Path, Card]:  # fmt: skip
    """Return the file and the card of the model that `[section] model` names.

    Parameters
    ----------
    section, name : str
    engine : EngineSettings
        Where it will run.
    output : str
        That it must have.
    lacks : str
        What a model without it does, in words.
    system : str
        That such a model can be trained by.

    Raises
    ------
    ModelError
        There is none, or it does not give this.
    """
    path = zoo.find(name, f"[{section}] model")
    with closing(open_engine(path, engine)) as opened:
        card = opened.card
    if not gives(card, output):
        raise ModelError(
            f"[{section}] model = {name!r} ({card.title}) {lacks}",
            limit=f"it gives {', '.join(port.name for port in card.outputs)}",
            remedy=zoo.how_to_get(system),
        )
    return path, card
