"""`[crops]` of rig.toml -> the stage that reads localizations again, for a camera."""

from __future__ import annotations

from pathlib import Path

from export.card import Card
from models.camera import Camera
from models.crops.space import ORIENTED, modes_of
from models.optics.low_rank import LowRankSpot
from stream import zoo
from stream.config import Rig
from stream.engines import open_engine
from stream.errors import ModelError, RigError
from stream.frame import StreamInfo
from stream.stages.crop_bounds import CropBounds
from stream.stages.crop_optics import PupilOfCrops
from stream.stages.crops import CropReader
from stream.stages.oriented_bounds import OrientedBounds
from stream.stages.second_plane import SecondPlane
from stream.stages.stage import Stage
from stream.suitability import refuse_outside

PORTS = (["counts", "variance"], ["table"])


def crop_reader(stage: Stage, rig: Rig, model: str, camera: Camera, info: StreamInfo) -> CropReader:
    """Return the stage.

    Parameters
    ----------
    stage : Stage
        Whose localizations are read again.
    rig : Rig
    model : str
        Name or path of the network.
    camera : Camera
    info : StreamInfo

    Raises
    ------
    RigError
        The network finds the pupil, and `[phase]` does too.
    ModelError, SampleSpaceError
        The model is not for crops with one emitter, was not trained for the rig, or its spots are missing.
    """
    path = zoo.find(model, "[crops] model")
    engine = open_engine(path, rig.engine.model_copy(update={"processes": 1}))
    card = engine.card
    refuse_other_than_crops(card, f"[crops] model = {model!r}")
    refuse_outside(rig, card)
    finds_pupil = any(f"sigma_noll_{j}_waves" in card.columns for j in modes_of(card.sample_space))
    if finds_pupil and rig.phase.mode != "off":
        raise RigError(
            f'[crops] model = {model!r} finds aberrations, and so does [phase] mode = "{rig.phase.mode}"',
            limit="one pupil is published",
            remedy='set [phase] mode = "off", or take another model',
        )
    second = second_plane(rig, card)
    bounds = _bounds(path, card)
    pupil = PupilOfCrops(card.sample_space, card.scores["pupil_error_waves"]) if finds_pupil else None
    shape = info.height_px, info.width_px
    return CropReader(stage, engine, camera, shape, rig.camera.pixel_size_nm, bounds, pupil, second)


def _bounds(path: Path, card: Card) -> CropBounds | OrientedBounds | None:
    """Return what knows how sure a model can be that does not say so itself."""
    columns = set(card.columns)
    if any(name.startswith("sigma_") for name in columns) or not columns & {"x_px", "y_px", "z_nm", *ORIENTED}:
        return None
    if ORIENTED[0] in columns:
        return OrientedBounds(card.sample_space, card.multiple_px)
    return CropBounds(spot_of(path), card.multiple_px)


def second_plane(rig: Rig, card: Card) -> SecondPlane | None:
    """Return where the second plane is; raises RigError if it is stated for a model that sees one, or not for two."""
    shift, two = rig.crops.second_plane_px, sees_two_planes(card)
    if two and shift is not None:
        return SecondPlane(shift)
    if two or shift is not None:
        raise RigError(
            f"[crops] second_plane_px = {shift}, model {card.name!r} sees {'two planes' if two else 'one plane'}",
            limit="stated for models that see two planes of focus, and only for these",
            remedy="second_plane_px = [dx, dy], from a molecule's image to that in the second plane, in pixels"
            if two
            else "leave second_plane_px out, or take a model of smnet-aberrations",
        )
    return None


def sees_two_planes(card: Card) -> bool:
    """Return whether a model takes crops of two planes."""
    return "plane" in card.inputs[0].axes


def refuse_other_than_crops(card: Card, named: str) -> None:
    """Raise ModelError if a model does not localize in crops; `named` is how it came to be asked for."""
    if not localizes_in_crops(card):
        raise ModelError(
            f"{named} ({card.title}) takes {', '.join(port.name for port in card.inputs)} and gives "
            f"{', '.join(port.name for port in card.outputs)}: it does not localize in crops",
            limit="a network that takes counts, variance and gives table",
            remedy="livesmlm train zelger, smnet-z or kim, then livesmlm export",
        )


def localizes_in_crops(card: Card) -> bool:
    """Return whether a model takes crops with one emitter and gives a table."""
    return ([port.name for port in card.inputs], [port.name for port in card.outputs]) == PORTS


def spot_of(model: Path) -> LowRankSpot:
    """Return the spots beside a model's file; raises ModelError if there are none."""
    beside = model.with_suffix(".spot.npz")
    try:
        return LowRankSpot.load(beside)
    except (OSError, ValueError) as error:
        raise ModelError(f"{beside}: {error}", remedy="put the spot.npz of the training beside the model") from error
