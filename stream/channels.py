"""What the colours are called that the network of `[crops]` tells."""

from __future__ import annotations

from contextlib import closing

from models.colours.dyes import names_of
from stream import zoo
from stream.config import EngineSettings, Rig
from stream.engines import open_engine


def channels_of(rig: Rig) -> tuple[str, ...]:
    """Return the names of the channels, by wavelength; none where no colour is told.

    Raises
    ------
    ModelError
        There is no such model, or it is none of ours.
    """
    if rig.crops.model is None:
        return ()
    with closing(open_engine(zoo.find(rig.crops.model, "[crops] model"), EngineSettings(threads=1))) as engine:
        return names_of(engine.card.sample_space) if "channel" in engine.card.columns else ()
