"""The image of a freely rotating dipole at the coverslip, in focus: vectorial, through the objective's pupil.

Without aberrations the average over orientations is radially symmetric: three Hankel transforms (orders 0, 1, 2) of
the pupil give it exactly. The transmission is written from the immersion towards the sample (reciprocity), which
stays finite at the critical angle. Sources: Richards & Wolf 1959; Stallinga & Rieger 2010.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import j0, j1

from models.optics.objective import Objective

PIXEL_INTEGRAL = np.array([-17, 308, 5178, 308, -17], np.float32) / 5760
RADIAL_STEP_NM = 4.0
PUPIL_SAMPLES = 1000


def radial_profile(objective: Objective, r_nm: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the share of all collected photons per nm^2 at distance `r_nm` from the centre, (n,); integral 1.

    h(r) = (2 |A_0|^2 + 2 |B_2|^2 + |C_1|^2) / norm with X_m(r) = integral of X(rho) J_m(k NA rho r) rho d rho,
    A, B = (T_p cos th_m +- T_s) / 2 and C = T_p sin th_m, each over sqrt(cos th_i); norm by Parseval.
    """
    rho = (np.arange(PUPIL_SAMPLES) + 0.5) / PUPIL_SAMPLES
    n_i, n_m = objective.immersion_index, objective.sample_index
    sin_i, sin_m = (objective.numerical_aperture * rho / n for n in (n_i, n_m))
    cos_i, cos_m = np.sqrt(1 - sin_i**2), np.sqrt(1 - sin_m.astype(complex) ** 2)
    t_s = 2 * n_i * cos_i / (n_i * cos_i + n_m * cos_m)
    t_p = 2 * n_i * cos_i / (n_i * cos_m + n_m * cos_i)
    pupil = {0: (t_p * cos_m + t_s) / 2, 1: t_p * sin_m, 2: (t_p * cos_m - t_s) / 2}
    k = 2 * np.pi * objective.numerical_aperture / objective.wavelength_nm
    argument = np.maximum(k * np.asarray(r_nm)[:, None] * rho, 1e-9)
    bessel = {0: j0(argument), 1: j1(argument)}
    bessel[2] = 2 * bessel[1] / argument - bessel[0]
    intensity, energy = np.zeros(len(r_nm)), 0.0
    for order, weight in ((0, 2), (1, 1), (2, 2)):
        amplitude = pupil[order] / np.sqrt(cos_i) * rho / PUPIL_SAMPLES
        intensity += weight * np.abs(bessel[order] @ amplitude) ** 2
        energy += weight * float((np.abs(pupil[order]) ** 2 / cos_i * rho).sum() / PUPIL_SAMPLES)
    return np.asarray(intensity * k**2 / (2 * np.pi * energy))


class VectorialSpot:
    """Spots in focus at any sub-pixel position, integrated over the pixels.

    Parameters
    ----------
    objective : Objective
    pixel_size_nm : float
    size_px : int
        Edge of the window that a spot is drawn into; odd.
    """

    def __init__(self, objective: Objective, pixel_size_nm: float, size_px: int = 25) -> None:
        self.size_px, self._pixel_nm = size_px, pixel_size_nm
        self._r_nm = np.arange(0, (size_px + 6) * pixel_size_nm * 0.75, RADIAL_STEP_NM)
        self._profile = radial_profile(objective, self._r_nm) * pixel_size_nm**2

    def draw(self, dx_px: NDArray[np.floating], dy_px: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return spots whose centres lie (dx, dy) pixels from the middle of the window.

        Returns
        -------
        (n, size_px, size_px) float32
            Share of all collected photons; the sum over an infinite window is 1.
        """
        u = np.arange(self.size_px + 4) - (self.size_px + 3) / 2
        x, y = u[None, :] - np.asarray(dx_px)[:, None], u[None, :] - np.asarray(dy_px)[:, None]
        r_nm = np.hypot(x[:, None, :], y[:, :, None]) * self._pixel_nm
        return _integrate(_integrate(np.interp(r_nm, self._r_nm, self._profile), 1), 2)


def _integrate(values: NDArray[np.floating], axis: int) -> NDArray[np.float32]:
    """Integrate a band-limited (n, y, x) image over the pixels of one axis; it loses two pixels at each end."""
    length = values.shape[axis] - 4
    shifted = [np.take(values, range(k, k + length), axis) * weight for k, weight in enumerate(PIXEL_INTEGRAL)]
    return np.asarray(sum(shifted), np.float32)
