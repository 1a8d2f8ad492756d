"""`[traces]` of rig.toml -> the stage that follows spots: its model, what spots look like, the camera."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from export.card import Card
from models.bleaching.photometry import gaussian, width_nm
from models.optics.low_rank import LowRankSpot
from models.optics.spot import Spot
from stream import zoo
from stream.bleaching.photometer import Drift, Photometer
from stream.calibration import camera
from stream.config import EngineSettings, Rig
from stream.engine import Engine
from stream.engines import open_engine
from stream.errors import ModelError
from stream.frame import StreamInfo
from stream.stages.traces import Publish, TraceWatch

Float64 = NDArray[np.float64]
TRACE = "trace"
"""Input that only step counters have."""
WINDOW_PX = 15
"""Of spots in depth, where they are known so far."""


def trace_watch(
    rig: Rig, info: StreamInfo, counter: Engine, drift: Drift | None,
    publish: Publish, tell: Callable[[str], None], clock: Callable[[], float],
) -> TraceWatch:  # fmt: skip
    """Return the stage that a rig asks for, with a model of `step_counter`; as `TraceWatch`.

    Raises
    ------
    ModelError
        The spots of `[model]` cannot be read.
    """
    calibration, pixel_nm = camera(rig.camera, info.height_px, info.width_px), rig.camera.pixel_size_nm
    in_depth = _in_depth(rig)

    def spot_for(position_nm: Float64, mean: Float64) -> Spot:
        if in_depth is not None:
            return in_depth
        sigma_nm = rig.optics.psf_sigma_nm or width_nm(position_nm, mean, calibration, pixel_nm)
        return gaussian(sigma_nm, pixel_nm)

    photometer = Photometer(spot_for, calibration, pixel_nm, drift)
    return TraceWatch(rig.traces, counter, photometer, publish, tell, clock)


def counts_steps(card: Card) -> bool:
    """Whether a model takes traces."""
    return TRACE in (port.name for port in card.inputs)


def step_counter(name: str, field: str = "[traces] model") -> Engine:
    """Return an engine with a model that counts steps; on one thread of the CPU, as traces are few.

    Raises
    ------
    ModelError
        There is no such model, or it counts no steps.
    """
    engine = open_engine(zoo.find(name, field), EngineSettings(threads=1))
    if not counts_steps(engine.card):
        engine.close()
        raise ModelError(
            f"{field} = {name!r} ({engine.card.title}) counts no bleaching steps",
            remedy="name one that `livesmlm train xu-bleaching` made",
        )
    return engine


def _in_depth(rig: Rig) -> LowRankSpot | None:
    """Return the spots of a localizer in depth, in a window of moderate size; None for one in focus."""
    path = rig.refine.spot or zoo.spot_of(rig.model.name)
    if not path.exists():
        return None
    try:
        spot = LowRankSpot.load(path)
        return spot if spot.size_px <= WINDOW_PX else spot.cropped(WINDOW_PX, 0)
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: {error}", remedy="put the spot.npz of the training beside the model") from error
