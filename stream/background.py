"""`[background]` of rig.toml -> what fits take for the light under a molecule, and the spot that goes with it."""

from __future__ import annotations

from export.card import Card
from models.camera import Camera
from models.refining.refine import Optics
from stream import zoo
from stream.config import Rig
from stream.engines import open_engine
from stream.errors import ModelError
from stream.spots import optics
from stream.stages.background import Backgrounds, Borders, RunningAverage
from stream.stages.bgnet import NetworkBackground
from stream.suitability import refuse_outside

KNOWN = 0.1
"""Part by which a stated background may be wrong: closer costs half the accuracy in z where a level is wrong by 10 %,
wider costs a fourth where it is right (`tests/benchmarks/background.py`)."""
PORTS = ["counts", "variance"]


def backgrounds(rig: Rig, card: Card, camera: Camera, shape: tuple[int, int]) -> tuple[Optics, Backgrounds | None]:
    """Return what is fitted, and what says how much background there is; None where each fit finds that itself.

    Parameters
    ----------
    rig : Rig
    card : Card
        Of the localizer.
    camera : Camera
    shape : (int, int)
        Rows and columns of the frames.

    Raises
    ------
    RigError
        The spots do not fit the rig.
    ModelError, SampleSpaceError
        The model of `[background]` is none for backgrounds, or was not trained for the rig.
    """
    settings = rig.background
    if settings.model is not None:
        return _bgnet(rig, card, camera, shape, settings.model)
    spot = optics(rig, card, camera)
    if settings.mode == "constant":
        return spot, Borders(spot)
    if settings.mode == "localizer":
        return spot, RunningAverage(spot, shape, settings.time_constant_frames)
    return spot, None


def _bgnet(rig: Rig, card: Card, camera: Camera, shape: tuple[int, int], model: str) -> tuple[Optics, Backgrounds]:
    path = zoo.find(model, "[background] model")
    engine = open_engine(path, rig.engine.model_copy(update={"processes": 1}))
    found = [port.name for port in engine.card.inputs]
    if found != PORTS:
        raise ModelError(
            f"[background] model = {model!r} takes {', '.join(found)}: it is not for backgrounds",
            limit=f"a network that takes {', '.join(PORTS)}",
            remedy="livesmlm train bgnet, then livesmlm export",
        )
    refuse_outside(rig, engine.card)
    spot = optics(rig, card, camera, largest_px=engine.card.multiple_px - 1)
    return spot, NetworkBackground(engine, spot, shape)
