"""Mean deviations of many molecules -> which of the known causes explains them best, and how much of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.guard.molecules.reference import Reference

Float64 = NDArray[np.float64]
EXPLAINED = 0.58
"""A cause that explains so much of what is seen is named,"""
AHEAD, LEAST = 2.0, 0.35
"""or one that explains so many times as much as any of another name, if it is so much: how a change shows depends on
light and depth, and was learned for all of them together."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The likeliest cause.

    Parameters
    ----------
    which : int
        Its row; -1: none explains it.
    amount : float
        Of it; 1: as much as was simulated.
    explained : float
        Part of the squared distance.
    distance : float
        From the reference, in standard deviations of the mean.
    """

    which: int
    amount: float
    explained: float
    distance: float


def diagnose(known: Reference, shifts: Float64, names: Sequence[str], mean: Float64, molecules: float) -> Diagnosis:
    """Return what explains the mean of some molecules.

    The likelihood of a cause in the amount that fits best: a mean is normal with the reference's covariance, and by how
    much samples differ is part of it.

    Parameters
    ----------
    known : Reference
    shifts : (s, m) float64
        What each cause does.
    names : sequence of str
        How each is called; several may bear one name.
    mean : (m,) float64
        Deviations.
    molecules : float
        That it rests on.
    """
    weighed = np.linalg.inv(known.covariance / max(molecules, 1.0) + known.between)
    along = shifts @ weighed @ mean
    length = np.einsum("sm,mk,sk->s", shifts, weighed, shifts)
    amount = np.maximum(along, 0) / length
    total = float(mean @ weighed @ mean)
    gained = amount**2 * length / max(total, 1e-9)
    best = int(np.argmax(gained))
    others = [value for value, name in zip(gained, names, strict=True) if name != names[best]]
    if gained[best] < EXPLAINED and gained[best] < max(LEAST, AHEAD * max(others, default=0.0)):
        return Diagnosis(-1, 0.0, float(gained[best]), float(np.sqrt(total)))
    return Diagnosis(best, float(amount[best]), float(gained[best]), float(np.sqrt(total)))
