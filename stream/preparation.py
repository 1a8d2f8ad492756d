"""Before the first frame: does the model fit the rig, the calibration the frames, the data the rig; and warming up."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from export.card import Card
from models.camera import Camera
from stream import zoo
from stream.calibration import camera
from stream.config import FilterSettings, Rig
from stream.engine import Engine
from stream.frame import Batch, StreamInfo
from stream.stages.filter import Filter
from stream.stages.localize import Localizer
from stream.stages.stage import Stage

if TYPE_CHECKING:
    from stream.stages.slow_lane import SlowLane


def make_localizer(rig: Rig, engine: Engine, info: StreamInfo, lane: SlowLane | None = None) -> Stage:
    """Return the stages from frames to localizations for frames like `info`.

    Parameters
    ----------
    rig : Rig
    engine : Engine
    info : StreamInfo
    lane : SlowLane or None
        Whoever refines the pupil meanwhile.

    Raises
    ------
    RigError
        The camera's maps do not fit the frames, or the spots do not fit the rig.
    ModelError, SampleSpaceError
        The model of `[background]` or of `[crops]` is none, or was not trained for the rig.
    """
    threshold = engine.card.threshold if rig.model.threshold is None else rig.model.threshold
    calibration = camera(rig.camera, info.height_px, info.width_px)
    localizer = Localizer(engine, calibration, info.height_px, info.width_px, rig.camera.pixel_size_nm, threshold)
    stage = _watched(_refined(localizer, rig, engine.card, calibration, info), rig, calibration, lane)
    stage = _read_in_crops(_guarded(stage, rig, engine.card, calibration, info), rig, calibration, info)
    return stage if rig.filter == FilterSettings() else Filter(stage, rig.filter)


def _refined(localizer: Stage, rig: Rig, card: Card, calibration: Camera, info: StreamInfo) -> Stage:
    if rig.refine.mode == "off":
        return localizer
    from models.refining.candidates import Options
    from stream.background import KNOWN, backgrounds
    from stream.stages.refine import Refiner  # compiles: only where it is wanted

    options = Options(rounds=rig.refine.rounds, threads=rig.refine.threads or os.cpu_count() or 1)
    if rig.background.mode != "none":
        options = replace(options, background_prior=KNOWN)
    spot, background = backgrounds(rig, card, calibration, (info.height_px, info.width_px))
    return Refiner(localizer, spot, rig.refine.mode, options, background)


def _watched(stage: Stage, rig: Rig, calibration: Camera, lane: SlowLane | None) -> Stage:
    if lane is None:
        return stage
    if rig.phase.mode == "beads":
        from stream.optics import towards_objective
        from stream.stages.beads import BeadWatch

        return BeadWatch(stage, lane, calibration, towards_objective(rig.beads))
    from stream.stages.phase import PhaseWatch

    return PhaseWatch(stage, lane, calibration, rig.camera.pixel_size_nm, rig.phase, time.monotonic)


def _guarded(stage: Stage, rig: Rig, card: Card, calibration: Camera, info: StreamInfo) -> Stage:
    if rig.guard.mode == "off":
        return stage
    from stream.guarding import guarded  # compiles: only where it is wanted

    return guarded(stage, rig, card, calibration, info)


def _read_in_crops(stage: Stage, rig: Rig, calibration: Camera, info: StreamInfo) -> Stage:
    """Return the stage with what is read behind the guard, which knows what the localizer says."""
    if rig.crops.model is None:
        return stage
    from stream.crops import crop_reader

    return crop_reader(stage, rig, rig.crops.model, calibration, info)


def warm_up(localizer: Stage, info: StreamInfo, frames: int, engines: int = 1) -> None:
    """Run twice on each engine, on dark frames, so that the first real ones do not pay for allocation."""
    for first in range(0, 2 * engines * frames, frames):
        none = np.full(frames, np.nan)
        pixels = np.full((frames, info.height_px, info.width_px), 100, np.uint16)
        localizer.process(Batch(pixels, np.arange(first, first + frames), none, none, none))


def _blind(rig: Rig) -> list[str]:
    """Say what the guard cannot see."""
    if rig.guard.mode == "off":
        return ["[guard] is off: nobody looks whether the data are what the model was trained on"]
    if zoo.guard_of(rig.model.name) is None:
        return [
            f"the guard knows nothing of model {rig.model.name!r}, and so does not look at molecules: "
            "`livesmlm guard MODEL` teaches it"
        ]
    return []


def doubts(rig: Rig, info: StreamInfo) -> list[str]:
    """Say what the data state otherwise than the rig, and what cannot be verified."""
    doubts = [*info.remarks, *_blind(rig)]
    stated, given = info.pixel_size_nm, rig.camera.pixel_size_nm
    if stated == stated and abs(stated - given) > 0.01 * given:
        doubts.append(f"the data state a pixel size of {stated:g} nm, the rig says {given:g} nm: the rig's is used")
    if not info.verifiable:
        doubts.append(
            "the source gives no frame counter of the camera: loss before arrival cannot be seen (unverifiable)"
        )
    return doubts
