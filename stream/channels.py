"""What the colours are called that a run tells: those of the localizer, or of the network of `[crops]`."""

from __future__ import annotations

from contextlib import closing

from export.card import Card
from models.colours.dyes import names_of
from stream import zoo
from stream.config import EngineSettings, Rig
from stream.engines import open_engine


def channels_of(rig: Rig, localizer: Card) -> tuple[str, ...]:
    """Return the names of the channels, by wavelength; none where no colour is told.

    Raises
    ------
    ModelError
        There is no such model, or it is none of ours.
    """
    if rig.crops.model is None:
        return _names(localizer)
    with closing(open_engine(zoo.find(rig.crops.model, "[crops] model"), EngineSettings(threads=1))) as engine:
        return _names(engine.card)


def _names(card: Card) -> tuple[str, ...]:
    return names_of(card.sample_space) if "channel" in card.columns else ()
