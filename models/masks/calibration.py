"""What a modulator's grey levels do: a table of phases by wavelength, and its inverse.

    grey,565,605,655
    0,0,0,0
    128,9.3,8.7,8.0
    255,18.6,17.4,16.0

Phases are in rad, from rest; they rise from level to level. Between levels they are interpolated, between wavelengths
their optical path is.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
ROUNDING = 0.005
"""So much of the stroke a mask may be beyond it: a level of eight bits."""
BEYOND_NM = 30.0
"""A wavelength may be so far beyond those that were calibrated."""


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """A lookup table.

    Parameters
    ----------
    grey : (k,) float64
        Levels, rising from 0.
    wavelengths_nm : (w,) float64
        Rising.
    phase_rad : (k, w) float64
        Rising from level to level.

    Raises
    ------
    ValueError
        Shapes that do not belong together, levels or phases that do not rise, or values that are not finite.
    """

    grey: Float64
    wavelengths_nm: Float64
    phase_rad: Float64

    def __post_init__(self) -> None:
        if self.phase_rad.shape != (len(self.grey), len(self.wavelengths_nm)) or len(self.grey) < 2:
            raise ValueError(
                f"phases of shape {self.phase_rad.shape} for {len(self.grey)} grey levels and "
                f"{len(self.wavelengths_nm)} wavelengths: two levels or more, a phase for each and each wavelength"
            )
        if not all(np.isfinite(part).all() for part in (self.grey, self.wavelengths_nm, self.phase_rad)):
            raise ValueError("levels, wavelengths and phases must be finite numbers")
        for name, values in (("grey levels", self.grey), ("wavelengths", self.wavelengths_nm)):
            if (np.diff(values) <= 0).any():
                raise ValueError(f"{name} {values.tolist()[:8]}: each must be above the one before")
        if (falls := np.diff(self.phase_rad, axis=0) <= 0).any():
            level, column = np.argwhere(falls)[0]
            raise ValueError(
                f"the phase at {self.wavelengths_nm[column]:g} nm does not rise after grey level {self.grey[level]:g}: "
                "leave out the levels beyond, or smooth the table"
            )

    @classmethod
    def read(cls, path: Path) -> Calibration:
        """Read a table as above.

        Raises
        ------
        ValueError
            It cannot be read, or is no such table.
        """
        try:
            head, *lines = path.read_text(encoding="utf-8").strip().splitlines()
            wavelengths = np.array([float(cell) for cell in head.split(",")[1:]])
            table = np.array([[float(cell) for cell in line.split(",")] for line in lines])
            return cls(table[:, 0], wavelengths, table[:, 1:])
        except (OSError, ValueError, IndexError) as error:
            raise ValueError(f"calibration {path}: {error}") from error

    @classmethod
    def linear(cls, bits: int, stroke_rad: float, wavelength_nm: float) -> Calibration:
        """Return the table of a device whose phase is proportional to the level."""
        grey = np.array([0.0, 2.0**bits - 1])
        return cls(grey, np.array([wavelength_nm]), np.array([[0.0], [stroke_rad]]))

    def phases(self, wavelength_nm: float) -> Float64:
        """Return the phase of each level at a wavelength, (k,) rad from that of the first.

        Raises
        ------
        ValueError
            The wavelength is too far from those that were calibrated.
        """
        low, high = self.wavelengths_nm[0], self.wavelengths_nm[-1]
        if not low - BEYOND_NM <= wavelength_nm <= high + BEYOND_NM:
            raise ValueError(
                f"{wavelength_nm:g} nm: calibrated from {low:g} to {high:g} nm, {BEYOND_NM:g} nm beyond at most"
            )
        path = self.phase_rad * self.wavelengths_nm
        here = np.array([np.interp(wavelength_nm, self.wavelengths_nm, one) for one in path]) / wavelength_nm
        return np.asarray(here - here[0])

    def stroke_rad(self, wavelength_nm: float) -> float:
        """Return the largest phase at a wavelength."""
        return float(self.phases(wavelength_nm)[-1])

    def levels(self, phase_rad: Float64, wavelength_nm: float, wrap: bool = False) -> Float64:
        """Return the grey levels, any shape, that show these phases at a wavelength.

        Parameters
        ----------
        phase_rad : float array
            From 0 on.
        wavelength_nm : float
        wrap : bool
            Phases are taken modulo 2 pi: the same for this wavelength, and for no other one.

        Raises
        ------
        ValueError
            A phase beyond the stroke.
        """
        table = self.phases(wavelength_nm)
        wanted = np.mod(phase_rad, 2 * pi) if wrap else phase_rad
        most = float(wanted.max())
        if most > table[-1] * (1 + ROUNDING):
            raise ValueError(
                f"the mask needs a phase of {most:.2f} rad at {wavelength_nm:g} nm, the modulator has {table[-1]:.2f}: "
                + ("learn the mask for this modulator" if wrap else "wrap it (--wrap), which suits one colour only")
            )
        return np.asarray(np.interp(wanted, table, self.grey))
