"""What the rig says of each pixel's noise: variance = v0 + k (level - offset), in counts (photon transfer).

k is the ADU per photo-electron times the excess noise factor, v0 the variance without light and that of rounding to
whole counts, 1/12 (Janesick, Photon Transfer, 2007; Hirsch et al. 2013 for the EM register).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from models.camera import Camera

Float32 = NDArray[np.float32]
ROUNDING_ADU2 = 1 / 12
FOURTH_PLAIN, FOURTH_EM = 1.0, 3.0


@dataclass(frozen=True, slots=True)
class PixelNoise:
    """Maps of the rig's prediction, (y, x) float32 each.

    Parameters
    ----------
    offset_adu : (y, x)
    dark_adu2 : (y, x)
        v0.
    slope_adu : (y, x)
        k, in ADU^2 per ADU.
    fourth : float
        Fourth cumulant of the light's counts over k^2 times their variance: 1 for a Poisson law; behind a register
        24 g^4 n against k = 2 g and a variance of 2 g^2 n, which makes 3.
    """

    offset_adu: Float32
    dark_adu2: Float32
    slope_adu: Float32
    fourth: float

    @classmethod
    def of(cls, camera: Camera, shape: tuple[int, int]) -> Self:
        """Return the maps of a camera's pixels."""
        gain = np.asarray(camera.adu_per_photo_electron, np.float32)
        dark = camera.variance_e2 * gain**2 + ROUNDING_ADU2
        return cls(
            _map(camera.offset_adu, shape), _map(dark, shape), _map(gain * camera.excess, shape),
            FOURTH_EM if camera.em_gain > 1 else FOURTH_PLAIN,
        )  # fmt: skip

    def part(self, rows: slice, columns: slice) -> PixelNoise:
        """Return the maps of some rows and columns."""
        at = rows, columns
        return PixelNoise(self.offset_adu[at], self.dark_adu2[at], self.slope_adu[at], self.fourth)

    def variance_adu2(self, signal_adu: Float32) -> Float32:
        """Return the variance of pixels that lie so many ADU above the offset, (y, x); never below v0 / 4."""
        return np.asarray(np.maximum(self.dark_adu2 + self.slope_adu * signal_adu, self.dark_adu2 / 4), np.float32)


def _map(values: float | NDArray[np.floating], shape: tuple[int, int]) -> Float32:
    return np.ascontiguousarray(np.broadcast_to(np.asarray(values, np.float32), shape))
