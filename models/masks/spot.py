"""What molecules in depth look like behind a mask that is held: quick spots, as every localizer has them."""

from __future__ import annotations

from math import ceil

from models.masks.file import MaskFile
from models.masks.optics import setup_behind
from models.optics.low_rank import LowRankSpot
from models.optics.low_rank_build import low_rank
from models.optics.vectorial import VectorialSpot
from models.psf import BEYOND_NM
from models.sample_space import SampleSpace

RANK, NODES_PER_UM = 96, 15


def spot_behind(mask: MaskFile, space: SampleSpace) -> LowRankSpot:
    """Return the spots of a space in depth behind a mask.

    Parameters
    ----------
    mask : MaskFile
    space : SampleSpace
        As `models/masks/space.py`'s `DEPTH`, with the objective's numbers.
    """
    low, high = space["z_nm"].low - BEYOND_NM, space["z_nm"].high + BEYOND_NM
    exact = VectorialSpot(setup_behind(mask, space), space.scale("pixel_size_nm")[0], int(space.number("window_px")))
    return low_rank(exact, (low, high), RANK, ceil(NODES_PER_UM * (high - low) / 1000), reach_px=0)
