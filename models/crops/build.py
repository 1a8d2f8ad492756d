"""What crops of a sample space are drawn with."""

from __future__ import annotations

from pathlib import Path

from models.aberrations.space import objective_of
from models.crops.dipoles import DipoleSpots
from models.crops.planes import PlaneSpots
from models.crops.space import ORIENTED, TWO_PLANES, mode_name, modes_of
from models.crops.spots import AberratedSpots, CropSpots, KnownSpots
from models.optics.low_rank import LowRankSpot
from models.optics.propagator import Setup
from models.psf import BEYOND_NM, PSFS
from models.sample_space import SampleSpace
from models.scenes.optics import MASKS

CACHE, GPU = 16, 512
"""Spots computed at once: those that fit into a processor's cache, and what a GPU wants."""


def crop_spots(
    psf: str, space: SampleSpace, spot: LowRankSpot | None, side_px: int, device: str = "cpu", alike: int = 1
) -> CropSpots:  # fmt: skip
    """Return what crops of a sample space are drawn with.

    Parameters
    ----------
    psf : str
        Name or file of the spots; empty of spaces that say themselves what they show.
    space : SampleSpace
        Where aberrations or orientations differ, with the objective's numbers.
    spot : LowRankSpot or None
        None where exact spots are drawn.
    side_px : int
        Even.
    device : str
    alike : int
        Of dipoles: so many crops one after another share what is slow to compute.

    Raises
    ------
    ValueError
        Aberrations shall differ, but the pupil behind the spots is not known; or there are no spots.
    """
    modes, at_once = modes_of(space), CACHE if device == "cpu" else GPU
    if ORIENTED[0] in space.fields:
        return DipoleSpots(objective_of(space), space["pixel_size_nm"].middle, side_px, alike, at_once)
    z = space["z_nm"]
    deepest = max(abs(z.low), abs(z.high)) + BEYOND_NM
    if TWO_PLANES in space.fields:
        pixel, distance = space["pixel_size_nm"].middle, space.number(TWO_PLANES)
        return PlaneSpots(objective_of(space), distance, deepest, pixel, side_px, modes, at_once)
    if spot is None:
        raise ValueError("no spots are given: train it for a PSF in depth, e.g. astigmatic")
    if not modes:
        return KnownSpots(spot, side_px)
    if psf not in PSFS:
        raise ValueError(
            f"{', '.join(map(mode_name, modes))} shall differ from crop to crop, but of {Path(psf).name} only the "
            f"spots are known, not the pupil: take one of {', '.join(PSFS)}, or smnet-z"
        )
    setup = Setup(objective_of(space), {}, MASKS[PSFS[psf].mask], deepest)
    return AberratedSpots(setup, spot.pixel_size_nm, side_px, modes, at_once)
