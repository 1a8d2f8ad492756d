"""From immersion through coverslip into the sample: transmission and axial wave numbers of each plane wave.

The transmission is written from the immersion towards the sample. By reciprocity it describes the emission, and it
stays finite at the critical angle; in this direction the amplitude on the pupil is T / sqrt(cos of the immersion angle)
(Stallinga & Rieger 2010; Novotny & Hecht, Principles of Nano-Optics, chapter 10). The emission's own coefficient
t(sample -> immersion) over sqrt(cos of the immersion angle) is a widely copied mistake: the two agree only where the
indices of sample and immersion are the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.optics.objective import Objective

ComplexArray = NDArray[np.complex128]


@dataclass(frozen=True, slots=True)
class PlaneWaves:
    """Plane waves by their place in the pupil; arrays have the shape of `radius`.

    Parameters
    ----------
    s, p : complex128
        Fresnel transmission of the layers, immersion to sample.
    cos_immersion, cos_sample : complex128
        Cosines of the angles; imaginary above the critical angle (supercritical light).
    sin_sample : float64
    """

    s: ComplexArray
    p: ComplexArray
    cos_immersion: ComplexArray
    cos_sample: ComplexArray
    sin_sample: NDArray[np.float64]

    @classmethod
    def at(cls, objective: Objective, radius: NDArray[np.float64]) -> PlaneWaves:
        """Return the plane waves at `radius` of the pupil; 1 is its edge."""
        indices = (objective.immersion_index, objective.coverslip_index, objective.sample_index)
        sines = [objective.numerical_aperture * radius / index for index in indices]
        immersion, coverslip, sample = (np.sqrt(1 - sine.astype(complex) ** 2) for sine in sines)
        n_i, n_c, n_m = indices
        s = 2 * n_i * immersion / (n_i * immersion + n_c * coverslip)
        s = s * 2 * n_c * coverslip / (n_c * coverslip + n_m * sample)
        p = 2 * n_i * immersion / (n_i * coverslip + n_c * immersion)
        p = p * 2 * n_c * coverslip / (n_c * sample + n_m * coverslip)
        return cls(s, p, immersion, sample, sines[2])
