"""The mean molecule beside what was expected of it, as people look at it: a few small images, by z."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ENOUGH = 30
"""Molecules, below which a mean shows little but noise."""
KINDS = "observed", "expected", "difference", "standard error"


@dataclass(frozen=True, slots=True)
class MeanResidual:
    """Means of many molecules.

    Parameters
    ----------
    images : (4, z, y, x) float32
        As `KINDS`, in units of the expected peak of each z; background, as a parabola, and what place and light of a
        molecule explain, taken out. Not a number where there are fewer than `ENOUGH` molecules.
    z_nm : tuple of float
        Middle of the bins, from the lowest to the highest; in focus there is one, for all widths, at 0.
    molecules : tuple of float
        In each bin; older ones count less.
    pixel_nm : float
    """

    images: NDArray[np.float32]
    z_nm: tuple[float, ...]
    molecules: tuple[float, ...]
    pixel_nm: float
