"""The optics behind a model's spots, so that they can be drawn again with something changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from models.beads.spots import StageSpot
from models.optics.low_rank import LowRankSpot
from models.optics.low_rank_build import low_rank
from models.optics.propagator import Setup
from models.optics.spot import Spot
from models.optics.vectorial import VectorialSpot
from models.scenes.optics import MASKS

RANK, NODES_PER_UM, FEWEST_NODES = 64, 12, 13
MARGIN_PX = 10
"""The drawn window is so much larger than the one that is looked at."""
ASTIGMATISM = 5, 6
"""Noll's numbers of what a cylindrical lens does: with it a pupil from beads shows its mask."""
ANOTHER, Z_COMPARED = 0.2, 9
"""Spots differ if the difference is so much of them, root mean square over so many heights."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is not as in the training.

    Parameters
    ----------
    noll : int
        Of the aberration; 0: none.
    waves : float
        By so much, unit root mean square.
    pixel_scale : float
        Times the pixel size.
    blur_nm : float
        Standard deviation of what spreads the light besides.
    mask : str
        Key of `MASKS`, in place of the training's mask and of its astigmatism; empty: the training's.
    """

    noll: int = 0
    waves: float = 0.0
    pixel_scale: float = 1.0
    blur_nm: float = 0.0
    mask: str = ""


@dataclass(frozen=True, slots=True)
class KnownOptics:
    """What the training's spots were computed from.

    Parameters
    ----------
    setup : Setup
    pixel_size_nm : float
    z_nm : (float, float)
        Lowest and highest z that the spots are known for.
    by_stage : bool
        z is the stage's, as in a stack of beads; else the height of the molecule.
    """

    setup: Setup
    pixel_size_nm: float
    z_nm: tuple[float, float]
    by_stage: bool = False

    def exact(self, change: Change, window_px: int) -> Spot:
        """Return exact spots with a change, in an odd window."""
        waves = dict(self.setup.zernike_waves or {})
        if change.noll:
            waves[change.noll] = waves.get(change.noll, 0.0) + change.waves
        blur = float(np.hypot(self.setup.blur_nm, change.blur_nm))
        setup = replace(self.setup, zernike_waves=waves, blur_nm=blur)
        if change.mask:
            rest = {j: amount for j, amount in waves.items() if j not in ASTIGMATISM}
            setup = replace(setup, zernike_waves=rest, mask=MASKS[change.mask])
        spot = VectorialSpot(setup, self.pixel_size_nm * change.pixel_scale, window_px)
        return StageSpot(spot) if self.by_stage else spot

    def differs(self, change: Change, window_px: int) -> bool:
        """Return whether a change is one: a mask may be the training's own."""
        z = np.linspace(*self.z_nm, Z_COMPARED)
        place = np.column_stack((0 * z, 0 * z, z))
        trained, changed = (np.asarray(self.exact(one, window_px)(place)) for one in (Change(), change))
        return float(np.linalg.norm(changed - trained)) > ANOTHER * float(np.linalg.norm(trained))

    def quick(self, change: Change, window_px: int) -> LowRankSpot:
        """Return the same as low-rank spots, for scenes of many molecules."""
        low, high = self.z_nm
        nodes = max(FEWEST_NODES, ceil(NODES_PER_UM * (high - low) / 1000))
        return low_rank(self.exact(change, window_px), self.z_nm, RANK, nodes, reach_px=0)
