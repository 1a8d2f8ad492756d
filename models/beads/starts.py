"""Where a retrieval starts from: it converges from within about a quarter of a wave, so several starts are tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.fitting.bead_model import Place
from models.fitting.retrieval import retrieve
from models.fitting.retrieved import Retrieved
from models.optics.vectorial import VectorialSpot
from models.optics.zernike import noll_to_nm

Float64 = NDArray[np.float64]
Waves = Mapping[int, float]


class Start(NamedTuple):
    """Where a fit begins.

    Attributes
    ----------
    waves : mapping of Noll index to float
    place_nm : (x, y, focus) or None
        Of the bead, if it is known: a strongly aberrated bead is not in focus where it is brightest.
    """

    waves: Waves
    place_nm: Place | None = None

    @classmethod
    def of(cls, found: Retrieved) -> Start:
        """Go on where a fit of one bead ended."""
        bead = found.beads[0]
        return cls(found.zernike_waves, (bead.x_nm, bead.y_nm, bead.focus_nm))

    def reversed(self) -> Start:
        """Return what looks the same with a stage that moves the other way: aberrations that are even change sign."""
        waves = {j: c * (-1 if noll_to_nm(j)[0] % 2 == 0 else 1) for j, c in self.waves.items()}
        return Start(waves, self.place_nm and (self.place_nm[0], self.place_nm[1], -self.place_nm[2]))


ASTIGMATISM = 0.15
FIRST_STEPS, FEW_SLICES = 12, 9
USUAL = tuple(map(Start, (
    {}, {6: ASTIGMATISM}, {6: -ASTIGMATISM}, {5: ASTIGMATISM}, {5: -ASTIGMATISM}, {11: 0.1}, {11: -0.1},
)))  # fmt: skip
"""Nothing, the astigmatisms, and spherical aberration: what microscopes have most of."""


def best_start(
    spot: VectorialSpot, stack: Float64, focus_nm: Float64, modes: tuple[int, ...], starts: Sequence[Start],
    variance: float | Float64 = 0.0,
) -> Retrieved:  # fmt: skip
    """Try each start for a few steps on some slices of one bead; go on with the first that explains it, or the best.

    Parameters
    ----------
    spot, stack, focus_nm, modes, variance
        As in `retrieve`.
    starts : sequence of Start

    Raises
    ------
    ValueError
        The stack has other slices or another window.
    """
    few = np.unique(np.linspace(0, len(focus_nm) - 1, FEW_SLICES).round().astype(int))
    variance = np.broadcast_to(variance, stack.shape)
    some = [stack[few]], focus_nm[few], modes
    found = list[Retrieved]()
    for start in starts:
        found.append(retrieve(spot, *some, start.waves, [variance[few]], FIRST_STEPS, [start.place_nm]))
        if found[-1].explained:
            break
    chosen = Start.of(min(found, key=lambda result: result.chi2))
    return retrieve(spot, [stack], focus_nm, modes, chosen.waves, [variance], places_nm=[chosen.place_nm])
