"""A retrieved pupil -> the spots that training, refinement and guard read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import ceil

import numpy as np
from numpy.typing import NDArray

from models.optics.low_rank import LowRankSpot
from models.optics.low_rank_build import low_rank
from models.optics.propagator import Setup
from models.optics.vectorial import Aberration, VectorialSpot

Float64 = NDArray[np.float64]
RANK = 96
NODES_PER_UM = 15
FEWEST_NODES = 15


class StageSpot:
    """The spot of an emitter on the coverslip that the stage moves through the focus: z is the stage's.

    What bead stacks show as it is, and what is right for molecules near the coverslip; satisfies `Spot`.

    Parameters
    ----------
    exact : VectorialSpot
    focus_nm : float
        Of the stage where z is 0.
    """

    def __init__(self, exact: VectorialSpot, focus_nm: float = 0.0) -> None:
        self._exact, self._focus = exact, focus_nm
        self.size_px, self.pixel_size_nm = exact.size_px, exact.pixel_size_nm

    def __call__(self, position_nm: Float64) -> Float64:
        """Return (n, size_px, size_px) for x, y from the centre and z from the focal plane."""
        flat = position_nm * [1.0, 1.0, 0.0]
        return np.asarray(self._exact(flat, Aberration(self._focus + position_nm[:, 2])))


def retrieved_spots(
    setup: Setup, zernike_waves: Mapping[int, float], pixel_size_nm: float, size_px: int, half_depth_nm: float,
    height_nm: float | None = None, focus_nm: float = 0.0,
) -> LowRankSpot:  # fmt: skip
    """Return spots behind a retrieved pupil, as `LowRankSpot.save` writes them.

    Parameters
    ----------
    setup : Setup
        That of the retrieval; its aberrations are replaced.
    zernike_waves : mapping of Noll index to float
    pixel_size_nm : float
    size_px : int
        Edge of the window; odd.
    half_depth_nm : float
        Emitters are so far above and below the focal plane.
    height_nm : float or None
        Of the focal plane above the coverslip, for molecules in depth, of which none is below the coverslip; None: z is
        the stage's, as in the bead stack.
    focus_nm : float
        Of the stage where its z is 0.
    """
    aberrated = replace(setup, zernike_waves=dict(zernike_waves), height_nm=height_nm or 0.0)
    exact = VectorialSpot(aberrated, pixel_size_nm, size_px)
    lowest = half_depth_nm if height_nm is None else min(half_depth_nm, height_nm)
    nodes = max(FEWEST_NODES, ceil(NODES_PER_UM * (lowest + half_depth_nm) / 1000))
    spot = StageSpot(exact, focus_nm) if height_nm is None else exact
    return low_rank(spot, (-lowest, half_depth_nm), RANK, nodes, reach_px=0)
