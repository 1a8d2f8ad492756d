"""`livesmlm check`: open source, model and engine, and measure the rate against the camera's; nothing is written."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from math import nan
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from stream import zoo
from stream.calibration import map_doubts
from stream.commands.console import ERR
from stream.config import RefineSettings, Rig
from stream.engine import Engine
from stream.engines import open_engine
from stream.errors import InputError
from stream.frame import Frame, StreamInfo, UInt16Array
from stream.opening import source_of
from stream.planner import BATCHES, Plan, plan
from stream.preparation import make_localizer
from stream.rehearsal import frames_like, lit_share, seconds_per_batch
from stream.rig_against_card import Compared, compare, shown
from stream.source import Source
from stream.suitability import outside, refuse_no_localizer, refuse_unsuitable

LOOK_FRAMES, LEAST_FRAMES, LOOK_S = 50, 5, 5.0


def check(rig: Rig, tell: Callable[[list[Compared]], None] = lambda compared: None) -> dict[str, Any]:
    """Return what was found: rig against model, camera, engine, rates, warnings.

    Parameters
    ----------
    rig : Rig
    tell : callable
        Told how rig and model compare, before a rig that does not suit is refused.

    Raises
    ------
    LiveSMLMError
        What would have stopped a run.
    """
    if rig.source is None:
        raise InputError("the rig has no [source]", remedy="add one; the README has an example for each")
    with closing(open_engine(zoo.find(rig.model.name), rig.engine)) as engine:
        return _checked(rig, engine, tell)


def _checked(rig: Rig, engine: Engine, tell: Callable[[list[Compared]], None]) -> dict[str, Any]:
    refuse_no_localizer(engine.card)
    compared = compare(rig, engine.card)
    tell(compared)
    refuse_unsuitable(rig, engine.card)
    source = source_of(rig)
    try:
        info = source.open()
        frames = _some_frames(source)
    finally:
        source.close()
    measured = measured_rate(frames) if info.camera else nan
    camera = measured if measured == measured else 1000 / info.exposure_ms  # nan if the source does not say
    found = rehearse(rig, engine, info, camera, [frame.pixels for frame in frames])
    known = camera == camera
    return {
        "source": info.description,
        "frame_px": [info.height_px, info.width_px],
        "frame_counter": "camera" if info.verifiable else "unverifiable",
        **_camera_found(info, camera),
        "model": engine.card.name,
        "engine": engine.device,
        "sustained_frames_per_s": round(found.frames_per_s, 1),
        "sustained_mpx_per_s": round(found.frames_per_s * info.height_px * info.width_px / 1e6, 2),
        "batch_frames": found.batch_frames,
        "latency_ms": round(found.latency_ms),
        "camera_frames_per_s": round(camera, 1) if known else None,
        "headroom": round(found.headroom, 2) if known else None,
        "advice": list(found.advice),
        "compared": [one.to_dict() for one in compared],
        "warnings": [*rig.assumed(), *info.remarks, *_map_doubts(rig, frames), *outside(compared, engine.card)],
    }


def _camera_found(info: StreamInfo, frames_per_s: float) -> dict[str, Any]:
    """Return what a camera says of itself, and how many seconds its buffer holds; nothing for other sources."""
    if not info.camera:
        return {}
    return {"camera": dict(info.camera), "buffer_s": round(info.camera["buffer_frames"] / frames_per_s, 2)}


def measured_rate(frames: list[Frame]) -> float:
    """Return frames per second by the camera's own times; nan if there are too few."""
    times = np.array([frame.camera_time_s for frame in frames])
    return float(1 / np.median(np.diff(times))) if len(times) >= LEAST_FRAMES else nan


def _map_doubts(rig: Rig, frames: list[Frame]) -> list[str]:
    if rig.camera.maps is None or not frames:
        return []
    return map_doubts(rig.camera, np.stack([frame.pixels for frame in frames]))


def rehearse(
    rig: Rig, engine: Engine, info: StreamInfo, camera_frames_per_s: float, seen: list[UInt16Array]
) -> Plan:  # fmt: skip
    """Measure the stages on simulated frames like the rig's, and say what follows.

    With active tiles it depends on what shines where: they are measured on frames that were seen, if there are any.
    """
    shape = info.height_px, info.width_px
    frames = frames_like(rig, engine.card, info, BATCHES[-1])
    if rig.engine.tiles == "active" and seen:
        frames = np.stack([seen[number % len(seen)] for number in range(BATCHES[-1])])
    seconds = seconds_per_batch(make_localizer(rig, engine, info), frames, BATCHES)
    alone = make_localizer(rig.model_copy(update={"refine": RefineSettings()}), engine, info)
    network = seconds_per_batch(alone, frames, BATCHES[-1:])[BATCHES[-1]]
    lit = lit_share(rig, engine.card, seen)
    return plan(seconds, network, camera_frames_per_s, rig, engine.card, zoo.shipped(), shape, lit)


def _some_frames(source: Source) -> list[Frame]:
    """Return as many frames as come within a few seconds, enough to see their rate and whether maps fit them."""
    frames: list[Frame] = []
    end = time.perf_counter() + LOOK_S
    for frame in source.frames():
        if frame is not None:
            frames.append(replace(frame, pixels=frame.pixels.copy()))
        if len(frames) == LOOK_FRAMES or time.perf_counter() > end:
            break
    return frames


def _in_words(value: Any) -> str:
    return "\n".join(f"{name}: {one}" for name, one in value.items()) if isinstance(value, dict) else str(value)


def _show_compared(compared: list[Compared]) -> None:
    """Print the fields that can be compared, then which cannot and why."""
    table = Table("field", "rig", "model", "inside?", box=None, pad_edge=False)
    for one in compared:
        if one.inside is not None:
            inside = "[green]✓ yes[/]" if one.inside else "[bold red]✖ no[/]" if one.decides else "[yellow]▲ no[/]"
            table.add_row(one.field, escape(shown(one.rig)), escape(shown(one.model)), inside)
    Console().print(table)
    for one in compared:
        if one.inside is None:
            Console().print(f"[dim]not compared: {escape(one.field)}: {escape(one.why)}[/]", highlight=False)
    Console().print()


def check_in_terminal(rig: Rig, as_json: bool) -> int:
    """Print what was found; returns the exit code: 0 if the engine keeps up with the camera, else 3."""
    found = check(rig) if as_json else check(rig, _show_compared)
    too_slow = found["headroom"] is not None and found["headroom"] < 1
    if as_json:
        Console().print_json(json.dumps(found))
        return 3 if too_slow else 0
    table = Table.grid(padding=(0, 2))
    for name, value in found.items():
        for what, one in value.items() if name == "camera" else [(name, value)]:
            if what not in ("compared", "warnings", "advice") and one is not None:
                table.add_row(f"[dim]{what}[/]", escape(_in_words(one)))
    Console().print(table)
    for warning in found["warnings"]:
        ERR.print(f"[yellow]warning:[/] {escape(warning)}", highlight=False)
    if too_slow:
        ERR.print(
            f"[bold red]too slow:[/] the camera gives {found['camera_frames_per_s']} frames/s, "
            f"the engine takes {found['sustained_frames_per_s']}"
        )
    for line in found["advice"]:
        ERR.print(f"[cyan]advice:[/] {escape(line)}", highlight=False, soft_wrap=True)
    return 3 if too_slow else 0
