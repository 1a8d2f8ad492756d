"""Single pixels that the maps do not have: frozen, hot, dark, or far too noisy."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, log

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter, minimum_filter

from models.guard.camera.noise_band import NoiseBand
from models.guard.cusum import STEPS_IN_TEN_HOURS
from models.guard.verdict import Finding, Word

Mask = NDArray[np.bool_]
STEP_SIGMA = 8.0
"""A single pixel this far above all its neighbours is no light: a spot is wider than one pixel."""
OFTEN_LOUD = 0.3
"""Share of looks. A Gaussian is there once in 16,000; molecules are left out."""
FEWEST_LOOKS = 16
FEW, MANY = 1e-4, 1e-2
"""Share of the pixels that is worth a word, and that a network is not to be trusted with."""
NAMED = 3
UNCHANGED_MARGIN, UNCHANGED_MOST = 1.5, 0.9
_NEIGHBOURS = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], np.bool_)


def findings(bands: Sequence[NoiseBand]) -> list[Finding]:
    """Say which kinds of bad pixels there are, and where the first ones lie."""
    if any(band.looks < FEWEST_LOOKS for band in bands):
        return []
    pixels = sum(band.level_adu.size for band in bands)
    frozen = np.concatenate([_frozen(band, pixels) for band in bands])
    hot, dark = (np.concatenate(part) for part in zip(*(_steps(band) for band in bands), strict=True))
    loud = np.concatenate([band.loud > OFTEN_LOUD for band in bands])
    kinds = (
        ("frozen pixels", "never change", frozen),
        ("hot pixels", "are far brighter than all their neighbours, as no spot is", hot & ~frozen & ~loud),
        ("dark pixels", "are far darker than all their neighbours", dark & ~frozen & ~loud),
        ("noisy pixels", "jump by far more than the noise of the rig", loud & ~frozen),
    )
    return [_said(name, what, where) for name, what, where in kinds if where.mean() > FEW]


def _said(name: str, what: str, where: Mask) -> Finding:
    share = float(where.mean())
    word: Word = "outside" if share > MANY else "drifting"
    first = ", ".join(f"({row}, {column})" for row, column in np.argwhere(where)[:NAMED])
    return Finding(
        name, word, f"{int(where.sum())} pixels {what}: row, column {first}" + ("…" if where.sum() > NAMED else ""),
        "livesmlm calibrate-camera gives such pixels a high read noise, for [camera] maps; or take another region",
        share / FEW, {"pixels": float(where.sum()), "share": share},
    )  # fmt: skip


def _frozen(band: NoiseBand, pixels: int) -> Mask:
    """Return pixels that stayed the same for longer than one of all would by chance in ten hours."""
    usual = float((band.unchanged > 0).mean())
    chance = min(max(UNCHANGED_MARGIN * usual, 0.02), UNCHANGED_MOST)
    return np.asarray(band.unchanged >= ceil(log(pixels * STEPS_IN_TEN_HOURS) / -log(chance)))


def _steps(band: NoiseBand) -> tuple[Mask, Mask]:
    """Return pixels that lie far above, and far below all their neighbours; the maps' own offsets are taken out."""
    level, known = band.level_adu, band.known.repeat(2, axis=0).repeat(2, axis=1)
    above = level - maximum_filter(level, footprint=_NEIGHBOURS)
    below = minimum_filter(level, footprint=_NEIGHBOURS) - level
    limit = STEP_SIGMA * np.sqrt(band.noise.variance_adu2(np.minimum(level, level + below)))
    around = minimum_filter(known, 3)
    return (above > limit) & around, (below > limit) & around
