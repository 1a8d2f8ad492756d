"""What networks for crops with one emitter are trained on: the optics of a localizer, and what is not known of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.sample_space import Range, SampleSpace

SHARED = ("pixel_size_nm", "z_nm", "photons", "background_e", "read_noise_e", "em_share", "hot_share")
"""Fields of a localizer's sample space that hold for crops too."""
UNKNOWN = (5, 6, 11)
"""Noll indices of the aberrations that Zelger et al. (2018) look for."""
UNKNOWN_WAVES = 0.06
"""Chosen: with 0.1 waves of astigmatism in the pupil, its sign, which tells above from below, stays what it is."""

ORIENTED = ("theta_deg", "phi_deg", "mobility")
"""Angle to the optical axis, azimuth from x towards y, and g of `models/optics/dipole.py`."""
SHIFT = ("shift_x_px", "shift_y_px")
"""Of an emitter in the crop of the second plane, beside the first: crops are cut on whole pixels."""
TWO_PLANES = "plane_distance_nm"
"""Field of spaces whose crops are seen in two planes."""
ON_COVERSLIP = SampleSpace({
    "pixel_size_nm": Range(98, 102),
    "z_nm": Range(-200, 200),  # of the coverslip from the focal plane
    "photons": Range(300, 20_000, "log-uniform"),
    "background_e": Range(1, 50, "log-uniform"),
    "read_noise_e": Range(0, 4),
    "em_share": 0.3,
    "hot_share": 0.3,
    "offset_px": Range(-0.9, 0.9),
    "theta_deg": Range(0, 90),
    "phi_deg": Range(-180, 180),
    "mobility": Range(0, 0.3),  # a cone of up to 38 degrees half angle
})  # fmt: skip
"""Dipoles, fixed or wobbling, in water on the coverslip, behind an open aperture."""
BIPLANE = SampleSpace({
    "pixel_size_nm": Range(98, 102),
    "z_nm": Range(-600, 600),  # from the middle between the planes
    "photons": Range(500, 20_000, "log-uniform"),  # of both planes together, which get half of them each
    "background_e": Range(1, 50, "log-uniform"),
    "read_noise_e": Range(0, 4),
    "em_share": 0.3,
    "hot_share": 0.3,
    "offset_px": Range(-0.9, 0.9),
    TWO_PLANES: 580.0,
    **{f"noll_{j}_waves": Range(-0.16, 0.16) for j in range(5, 26)},
    **dict.fromkeys(SHIFT, Range(-1, 1)),
})  # fmt: skip
"""Freely rotating emitters in two planes behind 21 unknown aberrations of up to 160 milliwaves (Zhang et al. 2018)."""
OWN = {"smnet-orientation": ON_COVERSLIP, "smnet-aberrations": BIPLANE}
"""Of systems whose spots are their own: no localizer's space is behind them."""
OWN_CROP_PX = 16


def crops_space(localizer: SampleSpace, system: str) -> SampleSpace:
    """Return the sample space of a system's crops for the spot of a localizer's.

    Parameters
    ----------
    localizer : SampleSpace
        As `models.psf.default_space` gives it.
    system : str
        One of kind "crops".

    Raises
    ------
    ValueError
        The localizer finds no z.
    """
    if "z_nm" not in localizer.fields:
        raise ValueError(f"{system} finds z: train it for a PSF in depth, e.g. astigmatic")
    shared = SampleSpace({name: localizer.fields[name] for name in SHARED})
    shared = shared.changed(offset_px=Range(-0.9, 0.9))  # from the centre: half a pixel by cutting, then the detector's
    if not system.startswith("zelger"):
        return shared
    return shared.changed(**{mode_name(j): Range(-UNKNOWN_WAVES, UNKNOWN_WAVES) for j in UNKNOWN})


def further_of(space: SampleSpace) -> tuple[str, ...]:
    """Return what an image depends on beside place and light, of the fields that differ from sample to sample."""
    return tuple(name for name in space.fields if name.startswith("noll_") or name in ORIENTED + SHIFT)


def mode_name(noll: int) -> str:
    """Return what a coefficient is called, in sample spaces and columns."""
    return f"noll_{noll}_waves"


def modes_of(space: SampleSpace) -> tuple[int, ...]:
    """Return the Noll indices of the aberrations that differ from sample to sample."""
    return tuple(int(name.split("_")[1]) for name in space.fields if name.startswith("noll_"))


def without_aberrations(space: SampleSpace) -> SampleSpace:
    """Return the space with the pupil as it is stated."""
    return space.changed(**{mode_name(j): Range(0, 0) for j in modes_of(space)})


def prior_sigma(space: SampleSpace) -> NDArray[np.float64]:
    """Return the standard deviation (modes,) in waves of what is drawn of each aberration."""
    return np.array([space.scale(mode_name(j))[1] / np.sqrt(3) for j in modes_of(space)])
