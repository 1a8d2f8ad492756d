"""One vector says all that a bead stack tells of a wavefront: 27 coefficients, Noll 2 to 28, in waves.

Tilt and defocus cannot be told from where the bead is, so Noll 2, 3 and 4 stand for x, y and focus: 2 and 3 exactly,
4 for the part of a high aperture's defocus that is Noll 4 (the rest of that defocus is not put into Noll 11 and 22).
All are unit root mean square over the pupil; the total is the root of the sum of squares.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.optics import zernike
from models.optics.objective import Objective
from models.optics.pupil import Pupil

Float64 = NDArray[np.float64]
NOLL = tuple(range(2, 29))
"""Noll indices of a wavefront's coefficients, in order."""
SHAPE = tuple(range(5, 29))
"""Those that are not the emitter's position."""
SAMPLES = 128


@dataclass(frozen=True, slots=True)
class Position:
    """What a nanometre of the emitter's position is in waves.

    Parameters
    ----------
    tilt_waves_per_nm : float
        Of Noll 2 by x and of Noll 3 by y.
    defocus_waves_per_nm : float
        Of Noll 4 by the stage's focus.
    """

    tilt_waves_per_nm: float
    defocus_waves_per_nm: float

    @classmethod
    def of(cls, objective: Objective) -> Position:
        """Return the factors of an objective."""
        pupil = Pupil.of(objective, SAMPLES)
        inside = np.hypot(pupil.x, pupil.y) <= 1
        tilt = -objective.numerical_aperture / objective.wavelength_nm / 2  # Noll 2 is twice the pupil's x
        fourth = zernike.evaluate(4, pupil.x[inside], pupil.y[inside])
        return cls(tilt, float((pupil.kz_immersion.real[inside] * fourth).mean()) / (2 * np.pi))

    def waves(self, x_nm: Float64, y_nm: Float64, focus_nm: Float64) -> Float64:
        """Return Noll 2, 3 and 4, (n, 3)."""
        factors = [self.tilt_waves_per_nm, self.tilt_waves_per_nm, self.defocus_waves_per_nm]
        return np.column_stack((x_nm, y_nm, focus_nm)) * factors

    def nm(self, waves: Float64) -> tuple[float, float, float]:
        """Return x, y and focus of the coefficients (27,) of one wavefront."""
        x, y, focus = (waves[:3] / [self.tilt_waves_per_nm, self.tilt_waves_per_nm, self.defocus_waves_per_nm]).tolist()
        return x, y, focus


def vector(zernike_waves: Mapping[int, float]) -> Float64:
    """Return the coefficients (27,) of a mapping by Noll index; what is not named is 0, what is above 28 left out."""
    return np.array([zernike_waves.get(j, 0.0) for j in NOLL])


def mapping(waves: Float64) -> dict[int, float]:
    """Return Noll index -> waves for the modes that are not the emitter's position."""
    return {j: float(c) for j, c in zip(NOLL, waves, strict=True) if j in SHAPE}
