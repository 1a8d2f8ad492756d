"""Frames as the rig's camera might give them, and how long the stages take for them: what `livesmlm check` measures."""

from __future__ import annotations

import time

import numpy as np

from export.card import Card
from models.optics.low_rank import LowRankSpot
from models.scenes.scene import Scene
from models.scenes.settings import SceneSettings
from stream import zoo
from stream.calibration import camera
from stream.config import Rig
from stream.engines.activity import Activity
from stream.engines.tiles import computed_share, parts
from stream.frame import Batch, StreamInfo, UInt16Array
from stream.stages.localize import maps_of
from stream.stages.stage import Stage

DENSITY_PER_UM2 = 0.1
"""Molecules in each frame: fits take their time for each of them."""
PHOTONS, BACKGROUND = 2000.0, 20.0
MEASURE_S = 0.6
LIT_FRAMES = 18
"""As many as the usual batch and the two before it."""


def frames_like(rig: Rig, card: Card, info: StreamInfo, count: int) -> UInt16Array:
    """Return simulated frames (t, y, x) in ADU: molecules of the model's kind in front of the rig's camera."""
    spot = LowRankSpot.load(zoo.spot_of(rig.model.name)) if "z_nm" in card.columns else None
    pixel = rig.camera.pixel_size_nm
    settings = SceneSettings(
        height_px=info.height_px, width_px=info.width_px, pixel_size_nm=pixel, structure="uniform",
        depth_nm=2 * card.sample_space.scale("z_nm")[1] if spot else 0.0, density_per_um2=DENSITY_PER_UM2,
        photons=PHOTONS, background=BACKGROUND, psf="gaussian", psf_sigma_nm=rig.optics.psf_sigma_nm or 1.3 * pixel,
    )  # fmt: skip
    view = Scene(settings, camera(rig.camera, info.height_px, info.width_px), np.random.default_rng(0), spot)
    return np.stack([view.picture()[0] for _ in range(count)])


def lit_share(rig: Rig, card: Card, seen: list[UInt16Array]) -> float:
    """Return how much of frames that were seen would be computed if only active tiles were; 1 if they cannot be."""
    if not seen or card.rows_per_block or not card.reach_px:
        return 1.0
    shape = seen[0].shape
    active = Activity(maps_of(camera(rig.camera, *shape), shape)).of(np.stack(seen[:LIT_FRAMES]))
    return computed_share(parts(active, shape, card.reach_px, card.multiple_px), shape, card.reach_px, card.multiple_px)


def seconds_per_batch(stage: Stage, frames: UInt16Array, sizes: tuple[int, ...]) -> dict[int, float]:
    """Measure how long batches of these sizes take, the mean over at least two.

    Parameters
    ----------
    stage : Stage
    frames : (t, y, x) uint16
        At least as many as the largest size.
    sizes : tuple of int
    """
    found, at = {}, 0
    for size in sizes:
        none, done, began = np.full(size, np.nan), -1, time.perf_counter()
        while done < 2 or time.perf_counter() - began < MEASURE_S:
            stage.process(Batch(frames[:size], np.arange(at, at + size), none, none, none))
            at, done = at + size, done + 1
            if not done:
                began = time.perf_counter()  # the first pays for allocation
        found[size] = (time.perf_counter() - began) / done
    return found
