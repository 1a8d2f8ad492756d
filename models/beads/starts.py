"""Where a retrieval starts from: it converges from within about a quarter of a wave, so several starts are tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models.fitting.retrieval import retrieve
from models.fitting.retrieved import Retrieved
from models.optics.vectorial import VectorialSpot

Float64 = NDArray[np.float64]
Waves = Mapping[int, float]
ASTIGMATISM = 0.15
FIRST_STEPS, FEW_SLICES = 12, 9
USUAL: tuple[dict[int, float], ...] = (
    {}, {6: ASTIGMATISM}, {6: -ASTIGMATISM}, {5: ASTIGMATISM}, {5: -ASTIGMATISM}, {11: 0.1}, {11: -0.1},
)  # fmt: skip
"""Nothing, the astigmatisms, and spherical aberration: what microscopes have most of."""


def best_start(
    spot: VectorialSpot, stack: Float64, focus_nm: Float64, modes: tuple[int, ...], starts: Sequence[Waves],
    variance: float | Float64 = 0.0,
) -> Retrieved:  # fmt: skip
    """Try each start for a few steps on some slices of one bead, and go on with the best.

    Parameters
    ----------
    spot, stack, focus_nm, modes, variance
        As in `retrieve`.
    starts : sequence of mapping of Noll index to float

    Raises
    ------
    ValueError
        The stack has other slices or another window.
    """
    few = np.unique(np.linspace(0, len(focus_nm) - 1, FEW_SLICES).round().astype(int))
    variance = np.broadcast_to(variance, stack.shape)
    some = [stack[few]], focus_nm[few], modes
    found = [retrieve(spot, *some, start, [variance[few]], FIRST_STEPS) for start in starts]
    chosen = min(found, key=lambda result: result.chi2)
    return retrieve(spot, [stack], focus_nm, modes, chosen.zernike_waves, [variance])
