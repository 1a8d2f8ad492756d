"""The optics around a mask, as a sample space states them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.aberrations.space import objective_of
from models.colours.dyes import dyes_of
from models.masks.file import MaskFile
from models.masks.layer import ImageLayer
from models.masks.modulator import Modulator
from models.optics.phase_masks import free_form
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


def setups_of(space: SampleSpace) -> list[Setup]:
    """Return the optics of a space with the objective's numbers without a mask: of each colour, or one in depth."""
    objective, dyes = objective_of(space), dyes_of(space)
    if not dyes:
        height = max(abs(space["z_nm"].low), abs(space["z_nm"].high)) + BEYOND_NM
        return [Setup(objective, height_nm=height, pupil_samples=2 * CELLS)]
    return [
        Setup(
            replace(objective, wavelength_nm=dye.wavelength_nm),
            dye.zernike_waves,
            focus_nm=dye.focus_nm,
            pupil_samples=CELLS,
        )
        for dye in dyes
    ]


def layer_of(space: SampleSpace) -> ImageLayer:
    """Return the optics of a space around a mask that is learned; as `setups_of`.

    Raises
    ------
    ValueError
        The window is even.
    """
    return ImageLayer(setups_of(space), space.scale("pixel_size_nm")[0], int(space.number("window_px")))


def setup_behind(mask: MaskFile, space: SampleSpace) -> Setup:
    """Return the optics of a space in depth behind a mask that is held."""
    (setup,) = setups_of(space)
    factor = modulator_of(space).factor(setup.objective.wavelength_nm)
    return replace(setup, mask=free_form(factor * np.asarray(mask.phase_rad, np.float64)))
