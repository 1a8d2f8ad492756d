"""`[guard]` of rig.toml -> the stage that watches the data, for a model and a camera."""

from __future__ import annotations

from pathlib import Path

from export.card import Card
from models.camera import Camera
from models.guard.causes import IN_DEPTH, IN_FOCUS
from models.guard.guard_file import Guard
from models.guard.molecule_watch import MoleculeWatch
from models.optics.low_rank import LowRankSpot
from models.refining.refine import Optics
from models.refining.spline import spline_of
from stream import zoo
from stream.config import Rig
from stream.errors import ModelError
from stream.frame import StreamInfo
from stream.spots import gaussians
from stream.stages.guard import GuardWatch
from stream.stages.guard_channels import CameraChannel, MoleculeChannel
from stream.stages.stage import Stage

MAC_PER_MOLECULE = 4.4e8
"""So many multiply-accumulates of the network for each molecule that is looked at: 4 % of the time on two cores."""


def guarded(stage: Stage, rig: Rig, card: Card, camera: Camera, info: StreamInfo) -> Stage:
    """Return the stage, watched if the rig wants it."""
    if rig.guard.mode == "off":
        return stage
    shape = info.height_px, info.width_px
    watch = _molecules(rig, card, camera, shape)
    channels = [CameraChannel(camera, shape, rig.camera.pixel_size_nm), *([MoleculeChannel(watch)] if watch else [])]
    return GuardWatch(stage, channels, watch)


def guard_doubts(rig: Rig) -> list[str]:
    """Say what the guard cannot see, for want of a reference."""
    if rig.guard.mode == "off":
        return ["[guard] is off: nobody looks whether the data are what the model was trained on"]
    if zoo.guard_of(rig.model.name) is None:
        return [
            f"model {rig.model.name!r} has no reference for the guard, which so does not look at molecules: "
            "livesmlm guard MODEL makes one"
        ]
    return []


def _molecules(rig: Rig, card: Card, camera: Camera, shape: tuple[int, int]) -> MoleculeWatch | None:
    path = zoo.guard_of(rig.model.name)
    if path is None:
        return None
    guard = _read(path)
    in_depth = "z_nm" in card.columns
    optics = _optics(rig, camera, guard.window_px, in_depth)
    per_frame = shape[0] * shape[1] * card.mac_per_pixel / MAC_PER_MOLECULE
    return MoleculeWatch(guard, IN_DEPTH if in_depth else IN_FOCUS, optics, per_frame)


def _optics(rig: Rig, camera: Camera, window_px: int, in_depth: bool) -> Optics:
    """Return the spots that the model was trained on, whatever refinement fits with."""
    if not in_depth:
        return gaussians(rig.camera.pixel_size_nm, rig.optics.psf_sigma_nm, camera, window_px)
    return Optics(spline_of(LowRankSpot.load(zoo.spot_of(rig.model.name)), window_px), camera)


def _read(path: Path) -> Guard:
    try:
        return Guard.load(path)
    except (OSError, ValueError) as error:
        raise ModelError(str(error), remedy=f"livesmlm guard {path.name.split('.')[0]}.onnx makes it anew") from error
