"""A mask on the panel of a modulator: which of its pixels lie in the pupil, and what they show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.masks.calibration import Calibration
from models.masks.file import MaskFile
from models.masks.modulator import cell_of

Float64 = NDArray[np.float64]
PhaseAt = Callable[[Float64, Float64], Float64]
"""Phase in rad at (x, y) of the pupil, whose edge is at radius 1."""


@dataclass(frozen=True, slots=True)
class Panel:
    """Where the pupil lies on a modulator.

    Parameters
    ----------
    width_px, height_px : int
    bits : int
        Of a grey level: 8 or 16.
    centre_px : (float, float)
        x and y of the pupil's centre, from the outer corner of the first pixel.
    pupil_px : float
        Diameter of the pupil's image.
    mirrored : bool
        Left and right are exchanged, as one mirror more or less in the relay does.
    """

    width_px: int
    height_px: int
    bits: int
    centre_px: tuple[float, float]
    pupil_px: float
    mirrored: bool = False

    def pupil(self) -> tuple[Float64, Float64]:
        """Return x and y of the pupil at the centre of each pixel of the panel, (height, width) each."""
        x, y = (
            (np.arange(side) + 0.5 - centre) / (self.pupil_px / 2)
            for side, centre in zip((self.width_px, self.height_px), self.centre_px, strict=True)
        )
        across, down = np.meshgrid(-x if self.mirrored else x, y)
        return across, down


def phase_of(mask: MaskFile) -> PhaseAt:
    """Return the phase of a mask of cells, which are flat; the least phase is 0, as no image tells a common one."""
    flat = np.asarray(mask.phase_rad, np.float64)
    lifted = flat - flat.min()

    def at(x: Float64, y: Float64) -> Float64:
        return np.asarray(lifted[cell_of(y, lifted.shape[0]), cell_of(x, lifted.shape[1])])

    return at


def pattern(
    phase: PhaseAt, wavelength_nm: float, panel: Panel, calibration: Calibration, wrap: bool = False
) -> NDArray[np.uint8 | np.uint16]:
    """Return the grey levels of a panel, (height, width) uint8 or uint16; level 0 beyond the square around the pupil.

    Raises
    ------
    ValueError
        The mask needs more phase than the modulator has at its wavelength, or the table has levels beyond the bits.
    """
    highest = 2**panel.bits - 1
    if calibration.grey[-1] > highest:
        raise ValueError(
            f"the calibration goes to grey level {calibration.grey[-1]:g}, {panel.bits} bits to {highest}: state the "
            "bits that the table was measured with"
        )
    x, y = panel.pupil()
    inside = (np.abs(x) <= 1) & (np.abs(y) <= 1)
    levels = np.zeros(x.shape)
    levels[inside] = calibration.levels(phase(x[inside], y[inside]), wavelength_nm, wrap)
    return np.asarray(np.rint(levels), np.uint8 if panel.bits == 8 else np.uint16)
