"""`livesmlm check`: open source, model and engine, and measure the rate against the camera's; nothing is written."""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from stream import zoo
from stream.calibration import map_doubts
from stream.commands.console import ERR
from stream.config import Rig
from stream.engine import Engine
from stream.engines import open_engine
from stream.errors import InputError
from stream.frame import Batch, StreamInfo, UInt16Array
from stream.opening import source_of
from stream.preparation import make_localizer, warm_up
from stream.source import Source
from stream.suitability import refuse_outside, refuse_unwatchable

MEASURE_S = 3.0
LOOK_FRAMES, LOOK_S = 50, 5.0


def check(rig: Rig) -> dict[str, Any]:
    """Return what was found: camera, engine, rates, warnings.

    Raises
    ------
    LiveSMLMError
        What would have stopped a run.
    """
    if rig.source is None:
        raise InputError("the rig has no [source]", remedy="add one; the README has an example for each")
    engine = open_engine(zoo.find(rig.model.name), rig.engine)
    refuse_outside(rig, engine.card)
    refuse_unwatchable(rig, engine.card)
    source = source_of(rig)
    try:
        info = source.open()
        frames = _some_frames(source) if rig.camera.maps is not None else []
    finally:
        source.close()
    measured = frames_per_s(rig, engine, info)
    camera = 1000 / info.exposure_ms if info.exposure_ms == info.exposure_ms else None
    return {
        "source": info.description,
        "frame_px": [info.height_px, info.width_px],
        "frame_counter": "camera" if info.verifiable else "unverifiable",
        "model": engine.card.name,
        "engine": engine.device,
        "engine_frames_per_s": round(measured, 1),
        "camera_frames_per_s": None if camera is None else round(camera, 1),
        "load_percent": None if camera is None else round(100 * camera / measured, 1),
        "warnings": [*rig.assumed(), *(map_doubts(rig.camera, np.stack(frames)) if frames else [])],
    }


def _some_frames(source: Source) -> list[UInt16Array]:
    """Return as many frames as come within a few seconds, enough to see whether the camera's maps fit them."""
    frames, end = [], time.perf_counter() + LOOK_S
    for frame in source.frames():
        if frame is not None:
            frames.append(frame.pixels.copy())
        if len(frames) == LOOK_FRAMES or time.perf_counter() > end:
            break
    return frames


def frames_per_s(rig: Rig, engine: Engine, info: StreamInfo) -> float:
    """Measure how many frames a second the localizer takes, in batches as the rig asks for."""
    frames = rig.policy.batch_frames
    localizer = make_localizer(rig, engine, info)
    warm_up(localizer, info, frames)
    rng, none = np.random.default_rng(0), np.full(frames, np.nan)
    pixels = rng.poisson(120, (frames, info.height_px, info.width_px)).astype(np.uint16)
    began, done = time.perf_counter(), 0
    while (spent := time.perf_counter() - began) < MEASURE_S:
        first = 10_000 + done
        localizer.process(Batch(pixels, np.arange(first, first + frames), none, none, none))
        done += frames
    return done / spent


def check_in_terminal(rig: Rig, as_json: bool) -> int:
    """Print what was found; returns the exit code: 0 if the engine keeps up with the camera, else 3."""
    found = check(rig)
    too_slow = found["load_percent"] is not None and found["load_percent"] > 100
    if as_json:
        Console().print_json(json.dumps(found))
        return 3 if too_slow else 0
    table = Table.grid(padding=(0, 2))
    for name, value in found.items():
        if name != "warnings" and value is not None:
            table.add_row(f"[dim]{name}[/]", str(value))
    Console().print(table)
    for warning in found["warnings"]:
        ERR.print(f"[yellow]warning:[/] {escape(warning)}", highlight=False)
    if too_slow:
        ERR.print(
            f"[bold red]too slow:[/] the camera gives {found['camera_frames_per_s']} frames/s, "
            f"the engine takes {found['engine_frames_per_s']}: "
            "frames will wait in the spool (lossless) or be skipped (live)"
        )
    return 3 if too_slow else 0
