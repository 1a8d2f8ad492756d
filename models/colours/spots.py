"""Spots of dyes behind an open pupil: each a few wavelengths at once (`models/optics/composite.py`), made quick."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from models.aberrations.space import objective_of
from models.colours.dyes import Dye, dye_from, dyes_of
from models.crops.spots import REACH_PX
from models.localizations import CHANNELS
from models.optics.composite import Spectrum
from models.optics.low_rank import LowRankSpot
from models.optics.low_rank_build import low_rank
from models.optics.objective import Objective
from models.optics.propagator import Setup
from models.optics.vectorial import VectorialSpot
from models.psf import BEYOND_NM
from models.sample_space import SampleSpace

LINES = ((-(3**0.5), 1 / 6), (0.0, 2 / 3), (3**0.5, 1 / 6))
"""Gauss-Hermite quadrature of three nodes: place in standard deviations, share of the light."""
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


def exact_spot(dye: Dye, objective: Objective, pixel_nm: float, window_px: int, depth_nm: float) -> Spectrum:
    """Return the exact spots of a dye; the lowest emitter touches the coverslip.

    Parameters
    ----------
    dye : Dye
    objective : Objective
        Its wavelength is not used.
    pixel_nm : float
    window_px : int
        Odd.
    depth_nm : float
        Emitters are within so much of the focal plane.
    """
    lines = LINES if dye.width_nm else ((0.0, 1.0),)
    spots = [
        VectorialSpot(_setup(dye, dye.wavelength_nm + place * dye.width_nm, objective, depth_nm), pixel_nm, window_px)
        for place, _ in lines
    ]
    return Spectrum(spots, [share for _, share in lines])


def _setup(dye: Dye, wavelength_nm: float, objective: Objective, depth_nm: float) -> Setup:
    """Return the optics for one wavelength; an aberration is a length: more waves where they are short."""
    waves = {j: value * dye.wavelength_nm / wavelength_nm for j, value in dye.zernike_waves.items()}
    seen = replace(objective, wavelength_nm=wavelength_nm)
    return Setup(seen, waves, height_nm=depth_nm, focus_nm=dye.focus_nm)
