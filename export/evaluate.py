"""What goes on the card as scores: held-out simulated scenes, and the ratio to the Cramer-Rao bound."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from export.graph import DeployedLocalizer, columns
from models.camera import Camera
from models.evaluation.conditions import Conditions, Locate, in_focus
from models.evaluation.dense import dense
from models.evaluation.isolated import calibration, isolated, precision
from models.evaluation.report import NEAR_FOCUS, SEED
from models.localizations import Localizations
from models.optics.low_rank import LowRankSpot
from models.sample_space import SampleSpace

DENSITIES_PER_UM2 = (0.1, 0.5, 1.0, 2.0)
PHOTONS = (1000.0, 4000.0)
CHUNK = 48
"""Frames at once."""


def conditions_for(space: SampleSpace, spot: LowRankSpot | None) -> Conditions:
    """Return what a network of this sample space is judged with."""
    return in_focus() if spot is None else Conditions(spot, space.scale("z_nm")[1])


def locator(module: DeployedLocalizer, threshold: float, pixel_size_nm: float) -> Locate:
    """Return a localizer by torch; the first and the last frame stand in for their neighbours."""

    def locate(stack: NDArray[np.uint16], camera: Camera) -> Localizations:
        padded, parts = np.concatenate((stack[:1], stack, stack[-1:])), []
        for first in range(0, len(stack), CHUNK):
            rows, frames = _rows(module, padded[first : first + CHUNK + 2], camera, threshold)
            parts.append(np.column_stack((frames + first, rows)))
        table = np.concatenate(parts)
        names = columns(module.network.dimensions)
        scaled = {n.replace("_px", "_nm"): v * (pixel_size_nm if n.endswith("_px") else 1) for n, v in zip(names, table.T[1:], strict=True)}
        return Localizations({"frame": table[:, 0], **scaled})

    return locate


def _rows(
    module: DeployedLocalizer, padded: NDArray[np.uint16], camera: Camera, threshold: float
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Locate the frames between the first and the last; returns rows and the frame of each."""
    _, height, width = padded.shape
    plane = np.ones((height, width), np.float32)
    maps = [plane * value for value in (camera.offset_adu, camera.adu_per_photo_electron, camera.variance_e2)]
    scalars = [np.asarray(value, np.float32) for value in (camera.excess, threshold)]
    context = torch.zeros(2, module.network.channels, -(-height // 4) * 2, -(-width // 4) * 2)
    with torch.no_grad():
        frame, table, _, _ = module(*(torch.from_numpy(np.asarray(a)) for a in (padded, *maps, *scalars)), context)
    frames = frame.numpy() - 2  # one for the look-ahead, one for the frame before the first
    here = (frames >= 0) & (frames < len(padded) - 2)
    return table.numpy()[here], frames[here]


def scores(module: DeployedLocalizer, conditions: Conditions, threshold: float, frames: int = 100, count: int = 400) -> dict[str, Any]:
    """Return what the network scores, and on what."""
    locate = locator(module, threshold, conditions.spot.pixel_size_nm)
    singles = {n: isolated(locate, conditions, n, count, SEED + 1).within(NEAR_FOCUS * conditions.half_depth_nm) for n in PHOTONS}
    return {
        "data": "simulated, held-out seed: sCMOS with 1.5 e read noise, 10 photo-electrons of background",
        "by_density_per_um2": {
            str(d): dense(locate, conditions, d, 2000.0, frames, SEED) for d in DENSITIES_PER_UM2
        },
        "isolated_by_photons": {str(n): precision(found) | calibration(found) for n, found in singles.items()},
    }
