"""A pupil's phase and amplitude cell by cell, as a smooth mask: what a retrieval finds beyond Zernike modes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class PupilMap:
    """A transmission between cells by linear interpolation; satisfies `Mask`.

    Parameters
    ----------
    phase_rad, amplitude : (N, N) float
        Axes (y, x) over the square around the pupil, at the centres of its cells. What lies outside of the pupil
        continues the inside, so that an edge cell is not drawn to nothing.

    Raises
    ------
    ValueError
        Not two equal axes, values that are not finite, or an amplitude below nothing.
    """

    phase_rad: Float64
    amplitude: Float64

    def __post_init__(self) -> None:
        shape = self.phase_rad.shape
        if len(shape) != 2 or shape[0] != shape[1] or self.amplitude.shape != shape:
            raise ValueError(
                f"phase of shape {shape}, amplitude of {self.amplitude.shape}: both must be (N, N), the same N"
            )
        if not (np.isfinite(self.phase_rad).all() and np.isfinite(self.amplitude).all()):
            raise ValueError("phase and amplitude of a pupil must be finite numbers")
        if self.amplitude.min() < 0:
            raise ValueError(f"an amplitude of {self.amplitude.min():g}: at least 0 is possible; turn the phase by pi")

    def __call__(self, x: Float64, y: Float64) -> NDArray[np.complex128]:
        """Return the transmission at (x, y), any shape; the pupil's edge is at radius 1."""
        places = [(at + 1) / 2 * len(self.phase_rad) - 0.5 for at in (y, x)]
        phase, amplitude = (
            map_coordinates(values, places, order=1, mode="nearest") for values in (self.phase_rad, self.amplitude)
        )
        return np.asarray(amplitude * np.exp(1j * phase))
