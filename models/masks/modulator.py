"""A spatial light modulator (SLM) in the pupil: pixels that delay light, by another phase for each wavelength.

    phi(wavelength) = level * stroke(wavelength) = phi(design) * stroke(wavelength) / stroke(design)

`level` is what a pixel is set to, from 0 to 1; the stroke is the phase of the highest level, as a calibration tells it.
So the ratio f(wavelength) of Hershko et al. (2019), phi = phi_design f, is that of two strokes. A layer of liquid
crystal whose birefringence were the same for all colours has f = design / wavelength, which is taken where nothing else
is stated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi

import numpy as np
from numpy.typing import NDArray

from models.sample_space import SampleSpace

STROKE = "modulator_stroke_{}_rad"
"""Name of a plain number in a sample space: the stroke for colour 0, 1, ...; 0 where it was not calibrated."""
USUAL = {
    "modulator_pixels": 32.0,
    "modulator_stroke_rad": 6 * pi,
    "modulator_design_nm": 560.0,
    "modulator_wrapped": 0.0,
}
"""Plain numbers of a sample space: what a modulator is unless a file says otherwise."""


@dataclass(frozen=True, slots=True)
class Modulator:
    """What a mask is shown on.

    Parameters
    ----------
    pixels : int
        Cells of the mask across the pupil; each may be several pixels of the device.
    stroke_rad : float
        Largest phase, at `design_nm`.
    design_nm : float
        Wavelength that the phase of a mask is stated for.
    wrapped : bool
        Phases are taken modulo 2 pi at `design_nm`: for devices with a stroke of about that. Else all of the stroke is
        used, which tells colours apart better.
    strokes_rad : tuple of (float, float)
        Wavelength in nm and stroke in rad, as calibrated; empty: stroke_rad * design_nm / wavelength.

    Raises
    ------
    ValueError
        No pixels, no stroke, or a stroke below 2 pi that phases are to be wrapped at.
    """

    pixels: int = 32
    stroke_rad: float = 6 * pi
    design_nm: float = 560.0
    wrapped: bool = False
    strokes_rad: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        if not 2 <= self.pixels <= 1024:
            raise ValueError(f"modulator_pixels = {self.pixels}: from 2 to 1024 across the pupil")
        if not 0 < self.stroke_rad <= 100:
            raise ValueError(f"modulator_stroke_rad = {self.stroke_rad:g}: must be above 0 and at most 100")
        if self.wrapped and self.stroke_rad < 2 * pi - 1e-6:
            raise ValueError(
                f"modulator_stroke_rad = {self.stroke_rad:g}: phases are wrapped at 2 pi = {2 * pi:.3f} only where the "
                "stroke is as large; set modulator_wrapped = 0"
            )

    @classmethod
    def of(cls, space: SampleSpace, wavelengths_nm: Sequence[float] = ()) -> Modulator:
        """Return the modulator that a sample space states, with its stroke for each of these wavelengths if stated."""
        given = {name: float(space.number(name)) if name in space.fields else usual for name, usual in USUAL.items()}
        strokes = tuple(
            (wavelength, space.number(STROKE.format(k)))
            for k, wavelength in enumerate(wavelengths_nm)
            if STROKE.format(k) in space.fields and space.number(STROKE.format(k)) > 0
        )
        return cls(
            int(given["modulator_pixels"]), given["modulator_stroke_rad"], given["modulator_design_nm"],
            bool(given["modulator_wrapped"]), strokes,
        )  # fmt: skip

    def factor(self, wavelength_nm: float) -> float:
        """Return f: the phase at a wavelength over that at `design_nm`."""
        if not self.strokes_rad:
            return self.design_nm / wavelength_nm
        at, stroke = np.array(sorted(self.strokes_rad)).T
        path = np.interp(wavelength_nm, at, stroke * at)  # an optical path, which hardly depends on the wavelength
        return float(path / wavelength_nm / self.stroke_rad)

    def pixel_of(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return which pixel, counted row by row, lies at (x, y) of the pupil, whose edge is at radius 1."""
        return cell_of(y, self.pixels) * self.pixels + cell_of(x, self.pixels)


def cell_of(place: NDArray[np.float64], cells: int) -> NDArray[np.int64]:
    """Return in which of so many cells along the pupil's diameter a coordinate lies, from -1 to 1."""
    return np.clip(((place + 1) / 2 * cells).astype(np.int64), 0, cells - 1)
