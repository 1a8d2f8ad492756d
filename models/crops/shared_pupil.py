"""How well the answers for many crops tell the pupil behind all of them: what a network gets wrong alike stays."""

from __future__ import annotations

import numpy as np

from models.crops.pooled import Pool
from models.crops.samples import EmitterSimulator
from models.crops.scoring import BACKGROUND_E, READ_NOISE_E, Answer, Float64
from models.crops.space import mode_name, prior_sigma
from models.crops.spots import CropSpots
from models.sample_space import Range, SampleSpace

MOLECULES = 500
"""Behind each pupil; of any z and brightness."""
SEED = 82_000
"""Beyond the seeds of trainings."""


def pupil_errors(
    answer: Answer, spots: CropSpots, space: SampleSpace, side_px: int, pupils: int
) -> tuple[Float64, Float64, Float64]:  # fmt: skip
    """Return errors in waves, (pupils, modes) each: of the pool, what it states, and of its single crops.

    Parameters
    ----------
    answer : Answer
        With uncertainties of the modes.
    spots : CropSpots
    space : SampleSpace
        Of the training.
    side_px, pupils : int
    """
    names, rng = [mode_name(j) for j in spots.modes], np.random.default_rng(SEED)
    true = np.column_stack([rng.uniform(space[name].low, space[name].high, pupils) for name in names])
    fixed = {"background_e": BACKGROUND_E, "read_noise_e": READ_NOISE_E}
    parts = []
    for number, waves in enumerate(true.tolist()):
        ends = {name: Range(value, value) for name, value in (fixed | dict(zip(names, waves, strict=True))).items()}
        given = space.changed(**ends, em_share=0.0, hot_share=0.0)
        crops = EmitterSimulator(spots, given, MOLECULES, side_px).draw(SEED, number)
        said = answer(crops.counts.numpy(), crops.variance.numpy())
        mean, sigma = (np.column_stack([said[before + name] for name in names]) for before in ("", "sigma_"))
        pool = Pool(prior_sigma(space))
        pool.add(mean, sigma)
        found, stated, _ = pool.result()
        parts.append((found - waves, stated, np.sqrt(((mean - waves) ** 2).mean(axis=0))))
    errors, stated, single = (np.array(part) for part in zip(*parts, strict=True))
    return errors, stated, single
