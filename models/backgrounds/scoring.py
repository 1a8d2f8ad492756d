"""How far an estimate of the background is from the true one, where it matters: under the spot."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from models.backgrounds.crops import border_median
from models.backgrounds.samples import Crops, CropSimulator
from models.sample_space import Range, SampleSpace
from models.training_spots import TrainingSpots

Float32 = NDArray[np.float32]
Predict = Callable[[Float32, Float32], Float32]
"""Counts and read-noise variance (n, y, x) -> background (n, y, x)."""
FOOTPRINT = 0.1
"""A pixel lies under the spot if it gets this part of the brightest one's light."""
LEVELS_E = (10.0, 100.0)
CONTRASTS = (0.0, 0.2, 0.5)
PHOTONS, READ_NOISE_E = 2000.0, 1.5
SEED = 78_000
"""Beyond the seeds of trainings."""


def held_out(
    spots: TrainingSpots, space: SampleSpace, crop_px: int, level_e: float, contrast: float, count: int
) -> Crops:
    """Return crops of one level and contrast, single emitters of one brightness in front of an sCMOS."""
    fixed = {
        "photons": PHOTONS, "background_e": level_e, "background_contrast": contrast, "read_noise_e": READ_NOISE_E,
    }  # fmt: skip
    given = space.changed(
        **{name: Range(value, value) for name, value in fixed.items()}, em_share=0.0, hot_share=0.0, neighbour_share=0.0
    )
    return CropSimulator(spots, given, count, crop_px).draw(SEED, 0)


def rmse(found: NDArray[np.floating], crops: Crops) -> float:
    """Return the root mean square error of backgrounds (n, y, x) or (n, 1, 1) under the spots, counts per pixel."""
    light, truth = crops.light.numpy(), crops.background.numpy()
    under = light >= FOOTPRINT * light.max(axis=(1, 2), keepdims=True)
    return float(np.sqrt(np.mean((found - truth)[under] ** 2)))


def by_background(
    predict: Predict, spots: TrainingSpots, space: SampleSpace, crop_px: int, count: int
) -> dict[str, dict[str, float]]:
    """Return for each level and contrast the error of the network, of a constant, and the ratio of both."""
    found = {}
    for level in LEVELS_E:
        for contrast in CONTRASTS:
            crops = held_out(spots, space, crop_px, level, contrast, count)
            network = rmse(predict(crops.counts.numpy(), crops.variance.numpy()), crops)
            constant = rmse(border_median(crops.counts.numpy())[:, None, None], crops)
            found[f"{level:g}, {contrast:g}"] = {
                "rmse": network, "constant_rmse": constant, "ratio": network / constant,
            }  # fmt: skip
    return found
