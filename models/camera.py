"""The camera: expected photons -> ADU, and back to photo-electrons; EMCCD and sCMOS with per-pixel maps.

The forward model of one pixel (Huang et al. 2013 for sCMOS; Hirsch et al. 2013 for the EM register):
electrons n ~ Poisson(QE mu + s) with s spurious ones; behind an EM register m ~ Gamma(n, 1) * G, else m = n; m is at
most the full well; ADU = round(offset + gain (m - G s + Normal(0, read noise))), clipped to the bit depth.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

FloatMap = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Camera:
    """Camera calibration; every value is a scalar or a (y, x) map.

    Parameters
    ----------
    offset_adu : float or (y, x) float32
        Mean counts without light, as dark frames show it: what the spurious electrons add on average is in it.
    gain_adu_per_e : float or (y, x) float32
        ADU per electron that leaves the sensor (after the EM register, where there is one).
    read_noise_e : float or (y, x) float32
        Standard deviation of the read noise in electrons, after the EM register.
    em_gain : float
        Mean multiplication of the EM register; 1 for a camera without one.
    quantum_efficiency : float
        Photo-electrons per photon.
    bit_depth : int
        Counts saturate at 2**bit_depth - 1.
    spurious_e : float or (y, x) float32
        Mean electrons per frame that no photon made, before the register: dark current times exposure, and
        clock-induced charge. Only their noise matters, since the offset holds their mean.
    full_well_e : float
        Electrons that a pixel holds, or the EM register where there is one.
    """

    offset_adu: float | FloatMap = 100.0
    gain_adu_per_e: float | FloatMap = 1.0
    read_noise_e: float | FloatMap = 1.0
    em_gain: float = 1.0
    quantum_efficiency: float = 1.0
    bit_depth: int = 16
    spurious_e: float | FloatMap = 0.0
    full_well_e: float = inf

    @property
    def excess(self) -> float:
        """Excess noise factor F**2: 2 behind an EM register, 1 otherwise (Hirsch et al. 2013)."""
        return 2.0 if self.em_gain > 1 else 1.0

    @property
    def adu_per_photo_electron(self) -> float | FloatMap:
        """ADU per photo-electron, the EM gain included."""
        return self.gain_adu_per_e * self.em_gain

    @property
    def variance_e2(self) -> float | FloatMap:
        """Variance without light in photo-electrons squared: read noise, the EM gain taken out, and spurious ones."""
        return (self.read_noise_e / self.em_gain) ** 2 + self.excess * self.spurious_e

    @property
    def saturation_adu(self) -> float | FloatMap:
        """Counts that cannot be exceeded: the converter's last one, or the full well where that is reached first."""
        full = self.offset_adu + self.gain_adu_per_e * (self.full_well_e - self.em_gain * self.spurious_e)
        least: float | FloatMap = np.minimum(np.floor(full), 2**self.bit_depth - 1)
        return least

    def expose(self, photons: NDArray[np.floating], rng: np.random.Generator) -> NDArray[np.uint16]:
        """Take a picture of (..., y, x) expected photons per pixel; returns (..., y, x) uint16 ADU."""
        electrons = rng.poisson(photons * self.quantum_efficiency + self.spurious_e).astype(np.float32)
        if self.em_gain > 1:
            electrons = rng.standard_gamma(electrons, dtype=np.float32) * np.float32(self.em_gain)
        electrons = np.minimum(electrons, np.float32(self.full_well_e)) - np.float32(self.em_gain) * self.spurious_e
        electrons += rng.standard_normal(electrons.shape, dtype=np.float32) * np.asarray(self.read_noise_e, np.float32)
        adu = np.rint(electrons * self.gain_adu_per_e + self.offset_adu)
        counts: NDArray[np.uint16] = np.clip(adu, 0, 2**self.bit_depth - 1).astype(np.uint16)
        return counts

    def photo_electrons(self, adu: NDArray[np.uint16] | FloatMap) -> FloatMap:
        """Return photo-electrons of ADU or of their means, (..., y, x); on average quantum efficiency x photons."""
        electrons = (adu.astype(np.float32) - self.offset_adu) / self.adu_per_photo_electron
        return np.asarray(electrons, np.float32)
