"""Spots of the dyes of a sample space, made quick (`exact_spot.py`)."""

from __future__ import annotations

from functools import lru_cache

from models.aberrations.space import objective_of
from models.colours.dyes import dye_from, dyes_of
from models.colours.exact_spot import exact_spot
from models.crops.spots import REACH_PX
from models.localizations import CHANNELS
from models.optics.low_rank import LowRankSpot
from models.optics.low_rank_build import low_rank
from models.optics.objective import Objective
from models.psf import BEYOND_NM
from models.sample_space import SampleSpace

RANK = 64
LEAST_NODES, NODES_PER_UM = 9, 15


def dye_spots(space: SampleSpace, side_px: int) -> tuple[LowRankSpot, ...]:
    """Return the spots of the dyes of a space, in its order, for crops of a side.

    Parameters
    ----------
    space : SampleSpace
        With dyes, and with the objective's numbers; its wavelength is not used.
    side_px : int
        Even.
    """
    z = space["z_nm"]
    depth_nm = max(abs(z.low), abs(z.high)) + BEYOND_NM
    pixel_nm, window_px = space.scale("pixel_size_nm")[0], side_px + 1 + 2 * REACH_PX
    given = (objective_of(space), pixel_nm, window_px, depth_nm)
    return tuple(_quick(tuple(dye.numbers().items()), *given) for dye in dyes_of(space))


@lru_cache(maxsize=CHANNELS)
def _quick(
    numbers: tuple[tuple[str, float], ...], objective: Objective, pixel_nm: float, window_px: int, depth_nm: float
) -> LowRankSpot:  # fmt: skip
    """Return quick spots of a dye; kept, since a training, its validation and its export want the same ones."""
    exact = exact_spot(dye_from(dict(numbers)), objective, pixel_nm, window_px, depth_nm)
    nodes = max(LEAST_NODES, round(NODES_PER_UM * 2 * depth_nm / 1000))
    return low_rank(exact, (-depth_nm, depth_nm), RANK, nodes, reach_px=0)
