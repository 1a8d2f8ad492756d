"""The optics in front of a simulated camera: which spots a scene is drawn with."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Literal

from models.colours.dyes import Dye
from models.colours.exact_spot import exact_spot
from models.optics import phase_masks
from models.optics.gaussian import GaussianSpot, constant
from models.optics.low_rank import LowRankSpot
from models.optics.low_rank_build import low_rank
from models.optics.objective import Objective
from models.optics.propagator import Mask, Setup
from models.optics.spot import DifferentiableSpot, Spot
from models.optics.vectorial import VectorialSpot

MaskName = Literal["none", "astigmatism", "double-helix", "tetrapod-2", "tetrapod-3", "tetrapod-4", "tetrapod-6"]
MASKS: dict[str, Mask | None] = {
    "none": None,
    "astigmatism": phase_masks.astigmatism(),
    "double-helix": phase_masks.double_helix(),
    **{f"tetrapod-{um}": phase_masks.tetrapod(um) for um in phase_masks.TETRAPOD_WAVES},
}
REACH_NM = 1300.0
"""Half of the window of a spot in focus: 97 % of the light."""
LARGEST_PX = 71


def gaussian(sigma_nm: float, pixel_size_nm: float) -> Spot:
    """Return Gaussian spots in a window of ten standard deviations."""
    return GaussianSpot(constant(sigma_nm), pixel_size_nm, 2 * ceil(5 * sigma_nm / pixel_size_nm) + 1)


def vectorial(
    objective: Objective, pixel_size_nm: float, depth_nm: float = 0.0, mask: str = "none",
    zernike_waves: Mapping[int, float] | None = None,
) -> LowRankSpot:  # fmt: skip
    """Return quick vectorial spots for emitters within `depth_nm` around the focal plane.

    Parameters
    ----------
    objective : Objective
    pixel_size_nm : float
    depth_nm : float
        0 for a sample on the coverslip, in focus; else the lowest emitter touches it.
    mask : str
        A key of `MASKS`.
    zernike_waves : mapping of Noll index to float, or None
        Aberrations.
    """
    half, size = max(depth_nm / 2, 1.0), _window_px(pixel_size_nm, depth_nm, mask)
    setup = Setup(objective, zernike_waves, MASKS[mask], height_nm=depth_nm / 2)
    exact = VectorialSpot(setup, pixel_size_nm, size)
    return _quick(exact, half, depth_nm)


def of_dye(dye: Dye, objective: Objective, pixel_size_nm: float, depth_nm: float = 0.0) -> LowRankSpot:
    """Return quick spots of a dye behind an open pupil; parameters as of `vectorial`."""
    size = _window_px(pixel_size_nm, depth_nm + 2 * abs(dye.focus_nm), "none")
    return _quick(exact_spot(dye, objective, pixel_size_nm, size, depth_nm / 2), max(depth_nm / 2, 1.0), depth_nm)


def _window_px(pixel_size_nm: float, depth_nm: float, mask: str) -> int:
    spread = REACH_NM + 0.6 * max(depth_nm / 2, 1.0) * (mask != "none" or depth_nm > 0)
    return min(2 * ceil(spread / pixel_size_nm) + 1, LARGEST_PX)


def _quick(exact: DifferentiableSpot, half: float, depth_nm: float) -> LowRankSpot:
    if depth_nm == 0:
        return low_rank(exact, (-half, half), rank=20, z_nodes=2, reach_px=0)
    return low_rank(exact, (-half - 1, half + 1), rank=96, z_nodes=max(15, ceil(15 * depth_nm / 1000)), reach_px=0)
