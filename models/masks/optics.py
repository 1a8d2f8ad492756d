"""The optics around a mask, as a sample space states them."""

from __future__ import annotations

from dataclasses import replace

from models.aberrations.space import objective_of
from models.colours.dyes import dyes_of
from models.masks.layer import ImageLayer
from models.masks.modulator import Modulator
from models.optics.propagator import Setup
from models.psf import BEYOND_NM
from models.sample_space import SampleSpace

CELLS = 32
"""Of the pupil in focus: the image would repeat itself after 6 um, far beyond the window. In depth twice as many."""


def wavelengths_nm(space: SampleSpace) -> tuple[float, ...]:
    """Return the wavelength of each colour."""
    return tuple(dye.wavelength_nm for dye in dyes_of(space)) or (objective_of(space).wavelength_nm,)


def modulator_of(space: SampleSpace) -> Modulator:
    """Return the modulator that a space states; raises ValueError if there is no such device."""
    return Modulator.of(space, wavelengths_nm(space))


def layer_of(space: SampleSpace) -> ImageLayer:
    """Return the optics of a space with the objective's numbers, of each colour or of one colour in depth.

    Raises
    ------
    ValueError
        The window is even.
    """
    objective, dyes = objective_of(space), dyes_of(space)
    height = 0.0 if dyes else max(abs(space["z_nm"].low), abs(space["z_nm"].high)) + BEYOND_NM
    setups = [
        Setup(
            replace(objective, wavelength_nm=dye.wavelength_nm),
            dye.zernike_waves,
            focus_nm=dye.focus_nm,
            pupil_samples=CELLS,
        )
        for dye in dyes
    ]
    return ImageLayer(
        setups or [Setup(objective, height_nm=height, pupil_samples=2 * CELLS)],
        space.scale("pixel_size_nm")[0],
        int(space.number("window_px")),
    )
