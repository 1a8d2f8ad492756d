"""Stacks of beads from files -> the windows of the beads that can be used, as a task for the retrieval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.beads.find import Found, find
from models.beads.starts import USUAL, Start
from models.beads.task import Task, fewer_slices
from models.optics.propagator import Setup
from stream.calibration import camera
from stream.config import BeadsSettings, Rig
from stream.errors import InputError, RigError
from stream.optics import objective, towards_objective
from stream.phase_network import phase_network
from stream.sources.stacks.stack import open_stack

Float64 = NDArray[np.float64]
BALL_TO_SIGMA = 1 / (2 * 5**0.5)
"""Standard deviation along one axis of a ball of diameter 1."""


@dataclass(frozen=True, slots=True)
class _Window:
    """A bead that can be used."""

    light: float
    counts: Float64
    variance: Float64
    place_um: tuple[float, float]


def read_beads(stacks: Sequence[Path], rig: Rig) -> tuple[Task, list[list[Found]]]:
    """Read stacks, find their beads, and state what is to be solved; returns all beads of each stack too.

    Raises
    ------
    FrameFormatError
        A stack cannot be read.
    RigError
        The rig leaves out what no image can tell.
    InputError
        The stacks have different numbers of slices, or there is no bead to use.
    """
    step_nm, towards = _stated(rig.beads)
    size = 2 * round(500 * rig.beads.window_um / rig.camera.pixel_size_nm) + 1
    windows, beads, slices = list[_Window](), list[list[Found]](), dict[Path, int]()
    for path in stacks:
        adu = np.stack([frame.pixels for frame in open_stack(path).frames()])
        found, more = _windows(adu, rig, size, path)
        beads.append(found)
        windows += more
        slices[path] = len(adu)
    if len(set(slices.values())) > 1:
        counted = ", ".join(f"{path.name} {count}" for path, count in slices.items())
        raise InputError(f"the stacks have different numbers of slices: {counted}", remedy="retrieve each by itself")
    if not windows:
        reasons = sorted({bead.why_not for stack in beads for bead in stack})
        raise InputError(
            f"no bead can be used: {'; '.join(reasons) or 'nothing stands out of the background'}",
            limit=f"a bead alone in a window of {size} pixels, [beads] window_um = {rig.beads.window_um:g}",
            remedy="dilute the beads, or state a smaller window if their light fits in it",
        )
    windows.sort(key=lambda window: -window.light)
    count = slices[stacks[0]]
    focus = np.asarray(towards * step_nm * (np.arange(count) - (count - 1) / 2), np.float64)
    network = phase_network(objective(rig.optics), rig.camera.pixel_size_nm)
    guess = network.start(windows[0].counts, focus) if network else None
    known = rig.beads.astigmatism_waves
    likely = [start for start in (guess, None if known is None else Start({6: known})) if start is not None]
    task = Task(
        setup=Setup(objective(rig.optics), blur_nm=rig.beads.diameter_nm * BALL_TO_SIGMA),
        pixel_size_nm=rig.camera.pixel_size_nm, focus_nm=focus, stacks=tuple(window.counts for window in windows),
        variances=tuple(window.variance for window in windows), modes=tuple(range(5, rig.beads.highest_noll + 1)),
        starts=(*likely, *USUAL),
        places_um=tuple(window.place_um for window in windows),
    )  # fmt: skip
    return fewer_slices(task), beads


def _stated(settings: BeadsSettings) -> tuple[float, float]:
    """Return the step, and 1 if the focal plane moves towards the objective, else -1."""
    missing = [name for name in ("step_nm", "focal_plane") if getattr(settings, name) is None]
    if missing or settings.step_nm is None:
        raise RigError(
            f"[beads] {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not given",
            limit="no image tells how far and which way the stage moved: both ways fit equally well, and one is wrong",
            remedy='state e.g. step_nm = 50 and focal_plane = "into-sample" (or "towards-objective")',
        )
    return settings.step_nm, towards_objective(settings)


def _windows(adu: NDArray[np.uint16], rig: Rig, size: int, path: Path) -> tuple[list[Found], list[_Window]]:
    sensor = camera(rig.camera, *adu.shape[1:])
    counts = np.asarray(sensor.photo_electrons(adu) / sensor.excess, np.float64)
    variance = np.broadcast_to(sensor.variance_e2 / sensor.excess**2, adu.shape[1:]).astype(float)
    try:
        found = find(counts, size, adu >= 2**rig.camera.bit_depth - 1)
    except ValueError as error:
        raise InputError(f"{path}: {error}", remedy="state a smaller [beads] window_um") from error
    windows = []
    for bead in found:
        if not bead.why_not:
            top, left = bead.row - size // 2, bead.column - size // 2
            place = slice(top, top + size), slice(left, left + size)
            pixel_um = rig.camera.pixel_size_nm / 1000
            middle_um = (bead.column + 0.5) * pixel_um, (bead.row + 0.5) * pixel_um
            windows.append(_Window(bead.light, counts[:, place[0], place[1]], variance[place], middle_um))
    return found, windows
