"""What is not there: localizations in empty frames, and places in the pixel that are preferred."""

from __future__ import annotations

from math import nan

import numpy as np

from models.evaluation.conditions import Conditions, Locate
from models.evaluation.dense import scene
from models.scenes.background import structured

SIDE_PX = 128
CONTRAST = 0.3
PERIODS_PX = (20.0, 50.0, 100.0)
BINS = 20


def false_positives(locate: Locate, conditions: Conditions, frames: int, seed: int) -> float:
    """Return localizations per 1e5 pixels of structured background of three levels without an emitter."""
    rng, found = np.random.default_rng(seed), 0
    levels = (0.5 * conditions.background, conditions.background, 5 * conditions.background)
    for level in levels:
        shape = (SIDE_PX, SIDE_PX)
        light = structured(shape, level / conditions.camera.quantum_efficiency, CONTRAST, PERIODS_PX, rng)
        found += len(locate(conditions.camera.expose(np.tile(light, (frames, 1, 1)), rng), conditions.camera))
    return found / (len(levels) * frames * SIDE_PX**2) * 1e5


def histogram_in_pixel(locate: Locate, conditions: Conditions, frames: int, seed: int) -> dict[str, float]:
    """Return chi-square per degree of freedom of the place in the pixel on filaments, 1 if none is preferred.

    That of the truth stands beside it: emitters that are on for several frames count several times.
    """
    stack, truth = scene(conditions, 0.3, 2000.0, frames, seed, "filaments")
    table = locate(stack, conditions.camera)
    pixel = conditions.spot.pixel_size_nm
    return {
        f"{name}_{axis}": round(_flatness(np.asarray(rows[axis], np.float64) / pixel), 3)
        for name, rows in (("found", table), ("truth", truth))
        for axis in ("x_nm", "y_nm")
    }


def _flatness(place_px: np.ndarray) -> float:
    counts, _ = np.histogram(place_px % 1, BINS, (0, 1))
    mean = counts.mean()
    if not mean:
        return nan
    return float(np.sum((counts - mean) ** 2) / mean / (BINS - 1))
