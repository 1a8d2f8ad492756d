"""`[guard]` of rig.toml -> the stage that watches the data, for a model and a camera."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from export.card import Card
from models.camera import Camera
from models.guard.coverage.coverage import Coverage
from models.guard.molecules.causes import IN_DEPTH, IN_FOCUS
from models.guard.molecules.guard_file import Guard
from models.guard.molecules.molecule_watch import MoleculeWatch
from models.optics.low_rank import LowRankSpot
from models.refining.refine import Optics
from models.refining.spline import spline_of
from models.sample_space import SampleSpace
from stream import zoo
from stream.config import Rig
from stream.errors import ModelError
from stream.frame import StreamInfo
from stream.spots import gaussians
from stream.stages.guard import Channel, GuardWatch
from stream.stages.guard_channels import CameraChannel, CoverageChannel, MoleculeChannel
from stream.stages.stage import Stage

SIGMAS = "sigma_x_nm", "sigma_y_nm", "sigma_z_nm"
MAC_PER_MOLECULE = 4.4e8
"""So many multiply-accumulates of the network for each molecule that is looked at: 4 % of the time on two cores."""


def guarded(stage: Stage, rig: Rig, card: Card, camera: Camera, info: StreamInfo) -> Stage:
    """Return the stage, watched by all that can be for this model.

    Raises
    ------
    ModelError
        What the guard knows of the model cannot be read.
    """
    shape, pixel_nm = (info.height_px, info.width_px), rig.camera.pixel_size_nm
    path = zoo.guard_of(rig.model.name)
    known = None if path is None else _read(path)
    space = card.sample_space if known is None else _as_found(card.sample_space, known)
    coverage = Coverage(space, shape[0] * pixel_nm, shape[1] * pixel_nm, _usual(known, card, pixel_nm))
    channels: list[Channel] = [CameraChannel(camera, shape, pixel_nm), CoverageChannel(coverage)]
    if known is None:
        return GuardWatch(stage, channels, None)
    watch = _molecules(known, rig, card, camera, shape)
    return GuardWatch(stage, [*channels, MoleculeChannel(watch)], watch)


def _as_found(space: SampleSpace, known: Guard) -> SampleSpace:
    """Return the sample space with the density that the model finds at its upper end: in a crowd it misses some."""
    density = space["density_per_um2"]
    return space.changed(density_per_um2=replace(density, high=known.made["found_at_most_per_um2"]))


def _usual(known: Guard | None, card: Card, pixel_nm: float) -> dict[str, tuple[float, float]]:
    """Return the usual uncertainties by column; in focus lengths are those of the camera's pixels."""
    if known is None:
        return {}
    in_depth = "z_nm" in card.columns
    names, scale = SIGMAS[: 3 if in_depth else 2], 1.0 if in_depth else pixel_nm / known.made["pixel_size_nm"]
    return {
        name: (scale * low, scale * high)
        for name, (low, high) in zip(names, known.made["usual_sigma_nm"], strict=True)
    }  # fmt: skip


def _molecules(guard: Guard, rig: Rig, card: Card, camera: Camera, shape: tuple[int, int]) -> MoleculeWatch:
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
