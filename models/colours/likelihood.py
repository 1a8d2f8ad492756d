"""The yardstick: who knows the spots of all colours fits each of them and takes the one that is the most likely.

The likelihood-ratio test is the most powerful one between two known hypotheses (Neyman & Pearson 1933); here position,
light and background are unknown and fitted under each. Fits start on either side of the focus, since an open pupil
hardly tells one from the other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.crops.fitted import WITHIN, fits_of, window_of
from models.crops.scoring import Answer, Float32, Float64
from models.optics.low_rank import LowRankSpot

SIDES = ((-WITHIN, -0.05), (0.05, WITHIN))
"""Shares of the spots' depth between which fits start."""


def likeliest(spots: Sequence[LowRankSpot], side_px: int) -> Answer:
    """Return the best of fits with each colour's spots as answers for crops of an even side.

    Parameters
    ----------
    spots : sequence of LowRankSpot
        Of each colour.
    side_px : int
    """
    windows = [window_of(spot, side_px) for spot in spots]

    def answer(counts: Float32, variance: Float32) -> dict[str, Float64]:
        found = [_better(window, counts, variance) for window in windows]
        lost = np.stack([deviance for deviance, _, _ in found])
        chosen, which = lost.argmin(axis=0), np.arange(len(counts))
        z, sigma = (np.stack([one[k] for one in found])[chosen, which] for k in (1, 2))
        odds = np.exp(-0.5 * (lost - lost.min(axis=0)))
        return {
            "channel": chosen.astype(np.float64), "channel_probability": 1 / odds.sum(axis=0), "z_nm": z,
            "sigma_z_nm": sigma,
        }  # fmt: skip

    return answer


def _better(window: LowRankSpot, counts: Float32, variance: Float32) -> tuple[Float64, Float64, Float64]:
    """Return deviance, z in nm and its sigma of the better fit from either side of the focus, (n,) each."""
    fits = [fits_of(window, counts, variance, within) for within in SIDES]
    lost = np.stack([one.deviance for one in fits])
    side: NDArray[np.int64] = lost.argmin(axis=0)
    which = np.arange(len(counts))
    z, sigma = (
        np.stack([np.asarray(getattr(one, of))[:, 2] for one in fits])[side, which] for of in ("parameters", "sigma")
    )
    return lost[side, which], z, sigma
