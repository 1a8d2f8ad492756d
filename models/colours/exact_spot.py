"""The spot of a dye behind an open pupil: a few wavelengths at once (`models/optics/composite.py`). No torch."""

from __future__ import annotations

from dataclasses import replace

from models.colours.dyes import Dye
from models.optics.composite import Spectrum
from models.optics.objective import Objective
from models.optics.propagator import Setup
from models.optics.vectorial import VectorialSpot

LINES = ((-(3**0.5), 1 / 6), (0.0, 2 / 3), (3**0.5, 1 / 6))
"""Gauss-Hermite quadrature of three nodes: place in standard deviations, share of the light."""


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
