"""The spots that a network can be trained for, by name: what is in the pupil, how deep it works, how large they are.

| psf | in the pupil | z from focus, unless told otherwise | crop with one spot |
|---|---|---|---|
| 2d | nothing: Gaussian spots of any width | in focus | 12 pixels |
| astigmatic | 0.1 waves of astigmatism | 600 nm | 20 pixels |
| double-helix | vortices in five zones | 1000 nm | 20 pixels |
| tetrapod | mask for 3 um | 1500 nm | 40 pixels |
| a file | low-rank spots, as `LowRankSpot.save` writes them | as in the file | 20 or 40 pixels |

The crops are those of BGnet (Moeckl et al. 2020); spots of a file whose light is mostly beyond 20 pixels get 40.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from models.optics.low_rank import LowRankSpot
from models.optics.objective import Objective
from models.refining.spline import window_of
from models.sample_space import LOCALIZER_2D, LOCALIZER_3D, Range, SampleSpace
from models.scenes.optics import vectorial

IN_FOCUS = "2d"
BEYOND_NM = 50.0
"""So much farther than the emitters' z the spots reach."""


MOST = 0.4
"""Share of a spot's light that a crop must hold at every z: the double helix loses half of it beyond 20 pixels."""


class Psf(NamedTuple):
    """Name of the mask in `models/scenes/optics.py`, the z that it is used for, the side of a crop with one spot."""

    mask: str
    depth_nm: float
    crop_px: int = 20


PSFS = {
    "astigmatic": Psf("astigmatism", 600),
    "double-helix": Psf("double-helix", 1000),
    "tetrapod": Psf("tetrapod-3", 1500, 40),
}


def default_space(psf: str) -> SampleSpace:
    """Return the sample space that a network for this PSF is trained on unless told otherwise.

    Raises
    ------
    ValueError
        Neither a name nor a file of spots.
    """
    if psf == IN_FOCUS:
        return LOCALIZER_2D
    if psf in PSFS:
        return LOCALIZER_3D.changed(z_nm=Range(-PSFS[psf].depth_nm, PSFS[psf].depth_nm))
    spot = LowRankSpot.load(_file(psf))
    low, high = spot.z_range_nm
    pixel = spot.pixel_size_nm
    return LOCALIZER_3D.changed(z_nm=Range(low, high), pixel_size_nm=Range(0.98 * pixel, 1.02 * pixel))


def crop_px(psf: str) -> int:
    """Return the side of a crop with one spot.

    Raises
    ------
    ValueError
        Neither a name nor a file of spots.
    """
    if psf == IN_FOCUS:
        return 12
    if psf in PSFS:
        return PSFS[psf].crop_px
    small, large = 20, 40
    return small if window_of(LowRankSpot.load(_file(psf)), MOST) < small else large


def spot(psf: str, space: SampleSpace, objective: Objective) -> LowRankSpot | None:
    """Return the spot of emitters in depth, None in focus.

    Parameters
    ----------
    psf : str
    space : SampleSpace
        Its z_nm says how deep, the middle of its pixel_size_nm how large a pixel is.
    objective : Objective
        Not used for a file.

    Raises
    ------
    ValueError
        Neither a name nor a file of spots, or z_nm reaches beyond those of the file.
    """
    if psf == IN_FOCUS:
        return None
    z = space["z_nm"]
    if psf in PSFS:
        depth = max(abs(z.low), abs(z.high)) + BEYOND_NM
        return vectorial(objective, space.scale("pixel_size_nm")[0], 2 * depth, PSFS[psf].mask)
    made = LowRankSpot.load(_file(psf))
    low, high = made.z_range_nm
    if z.low < low or z.high > high:
        raise ValueError(f"z_nm from {z.low:g} to {z.high:g}: the spots of {psf} are known from {low:g} to {high:g} nm")
    return made


def _file(psf: str) -> Path:
    if not Path(psf).is_file():
        raise ValueError(f"psf = {psf!r}: neither a file nor one of {', '.join((IN_FOCUS, *PSFS))}")
    return Path(psf)
