"""How well a background is told, beside the constant that everybody uses: the median of the crop's edge."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from models.backgrounds.crops import CropSimulator
from models.backgrounds.space import LEAST
from models.optics.low_rank import LowRankSpot
from models.sample_space import Range, SampleSpace
from models.training_spots import SpotInDepth, SpotsInFocus, TrainingSpots

Float32 = NDArray[np.float32]
Predict = Callable[[Float32], Float32]
"""Crops (n, y, x) -> their background (n, y, x)."""
CONTRASTS = (0.0, 0.2, 0.4, 0.6)
COUNT, LIGHT = 256, 0.9
SEED = 78_000
"""Beyond the seeds of trainings."""


def constant(crops: Float32) -> Float32:
    """Return the median of the edge of each crop, (n, y, x)."""
    edge = np.concatenate((crops[:, 0], crops[:, -1], crops[:, :, 0], crops[:, :, -1]), axis=1)
    return np.broadcast_to(np.median(edge, axis=1)[:, None, None], crops.shape).astype(np.float32)


def footprint(light: Float32) -> NDArray[np.bool_]:
    """Return the brightest pixels that hold `LIGHT` of a molecule's light, (n, y, x)."""
    flat = light.reshape(len(light), -1)
    order = np.argsort(-flat, axis=1)
    share = np.cumsum(np.take_along_axis(flat, order, 1), axis=1) / np.maximum(flat.sum(1, keepdims=True), 1e-9)
    inside = np.zeros(flat.shape, bool)
    np.put_along_axis(inside, order, share <= LIGHT, axis=1)
    return inside.reshape(light.shape)


def over_constant(predict: Predict, space: SampleSpace, spot: LowRankSpot | None, crop_px: int) -> dict[str, float]:
    """Return the root mean square error under the molecule over that of the constant, by contrast."""
    spots: TrainingSpots = SpotInDepth(spot, space) if spot else SpotsInFocus()
    result = {}
    for number, contrast in enumerate(CONTRASTS):
        given = space.changed(background_contrast=Range(contrast, contrast))
        drawn = CropSimulator(spots, given, COUNT, crop_px).draw(SEED + number, 0)
        counts, truth, light = (part.numpy() for part in (drawn.counts, drawn.background, drawn.light))
        here, level = footprint(light), np.maximum(truth.mean((1, 2), keepdims=True), LEAST)
        errors = [np.sqrt((((told - truth) / level)[here] ** 2).mean()) for told in (predict(counts), constant(counts))]
        result[f"{contrast:g}"] = round(float(errors[0] / errors[1]), 4)
    return result
