"""How near a predicted image is to the dense one, by frames, beside the sparse image; and whether doubt is told.

Similarity is that of `similarity.py`, of images from 0 to 1. Both contestants and the truth are under the same Gaussian
of one pixel. The error of a field is the root mean square of its error map.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from scipy.stats import rankdata

from models.predicted.samples import FIELD, Float32, dense_image, field_of, rms
from models.predicted.similarity import multiscale_similarity
from models.predicted.space import FULL_FRAMES, SCORED_PER_UM2, TRAINED_STRUCTURES
from models.sample_space import SampleSpace
from models.scenes.structures import STRUCTURES, Positions

Predict = Callable[[Float32, Float32, Float32], tuple[Float32, Float32]]
"""Sparse, widefield, structure of a batch, as in `Fields` -> images (b, y, x), error maps (b, y / 4, x / 4)."""
Places = Callable[[np.random.Generator], Positions]
FRAMES = (60, 300, 1000, 3000, 10_000, 30_000)
SEED = 94_000
"""Beyond the seeds of trainings."""
USUAL = 0.95
"""Share of the fields of a learned structure whose error is called usual."""


class Judged(NamedTuple):
    """What is said of one field: similarity of prediction and of sparse image to the dense one; error of its map."""

    predicted: float
    sparse: float
    error: float


def settings_of(space: SampleSpace, rng: np.random.Generator) -> dict[str, float]:
    """Return a draw from the sample space with a middling number of localizations."""
    return space.sample(rng) | {"localizations_per_um2": SCORED_PER_UM2}


def judged(
    predict: Predict, places_nm: Positions, told: str, frames: int, settings: dict[str, float], rng: np.random.Generator
) -> Judged:
    """Return what is said of a structure after so many frames, told that it is `told`."""
    sparse, dense, wide = field_of(places_nm, frames / FULL_FRAMES, settings, rng)
    structure = np.array([[told == one for one in TRAINED_STRUCTURES]], np.float32)
    image, error = predict(sparse[None], wide[None], structure)
    similar = multiscale_similarity(*(torch.from_numpy(np.stack(pair)) for pair in (
        (image[0], dense_image(sparse)), (dense, dense),
    )))  # fmt: skip
    return Judged(float(similar[0]), float(similar[1]), rms(error[0]))


def by_frames(predict: Predict, space: SampleSpace, fields: int) -> dict[str, dict[str, float]]:
    """Return mean similarities and errors by number of frames, and what errors are usually below."""
    found = {}
    for frames in FRAMES:
        rows = np.array([_held_out(predict, space, frames, SEED + k) for k in range(fields)])
        figures = dict(zip(Judged._fields, rows.mean(axis=0).tolist(), strict=True))
        figures["usual_error"] = float(np.quantile(rows[:, -1], USUAL))
        found[str(frames)] = {name: round(value, 4) for name, value in figures.items()}
    return found


def _held_out(predict: Predict, space: SampleSpace, frames: int, seed: int) -> Judged:
    rng, told = np.random.default_rng(seed), TRAINED_STRUCTURES[seed % len(TRAINED_STRUCTURES)]
    settings = settings_of(space, rng)
    count = round(settings["localizations_per_um2"] * FIELD.width_nm * FIELD.height_nm / 1e6)
    places = STRUCTURES[told](count, FIELD, rng)[:, :2]
    return judged(predict, places, told, frames, settings, rng)


def error_of(predict: Predict, space: SampleSpace, seed: int, places: Places, frames: int) -> float:
    """Return the error of a field of some structure, told that it is filaments, after so many frames."""
    rng = np.random.default_rng(seed)
    settings = settings_of(space, rng)
    return judged(predict, places(rng), "filaments", frames, settings, rng).error


def area_under_curve(known: list[float], unknown: list[float]) -> float:
    """Return how often an unknown structure has the larger error; ties count half."""
    ranks = rankdata([*known, *unknown])[len(known) :]
    return float((ranks.sum() - len(unknown) * (len(unknown) + 1) / 2) / (len(known) * len(unknown)))
