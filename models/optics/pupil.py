"""The pupil of the microscope on a square grid: what a dipole radiates into it, and the phases of defocus and depth.

Axes (y, x); the pupil's edge is at radius 1, the grid covers the square around it with cells of 2 / N. The amplitudes
are averages over each cell, the aperture's edge included: sampled at the cells' centres they would be wrong by 2 %.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from models.optics.arrays import Array
from models.optics.interfaces import PlaneWaves
from models.optics.objective import Objective

SUBCELLS = 8
FREE_ROTATION = np.array([2.0, 2.0, 2.0, 1.0, 1.0])
"""Weights of |G_X|^2 in the average over all orientations: no interference between the five is left."""
PAIRS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
"""Order of the second moments of a dipole: xx, yy, zz, xy, xz, yz."""


def moment_products(a: Array, bc: Array, bs: Array, cc: Array, cs: Array) -> list[Array]:
    """Return the image of each second moment from the five fields, in the order of `PAIRS`; real arrays.

    A dipole p gives E_x = p_x (A + Bc) + p_y Bs + p_z Cc and E_y = p_x Bs + p_y (A - Bc) + p_z Cs. Mixed moments count
    twice.
    """
    xp = array_namespace(a)
    fields = ((a + bc, bs), (bs, a - bc), (cc, cs))
    return [
        (1 + (one != other)) * sum(xp.real(e * xp.conj(f)) for e, f in zip(fields[one], fields[other], strict=True))
        for one, other in PAIRS
    ]


@dataclass(frozen=True, slots=True)
class Pupil:
    """Amplitudes and axial wave numbers on an N x N grid.

    Parameters
    ----------
    x, y : (N, N) float64
        Centres of the cells, in units of the pupil's radius.
    amplitudes : (5, N, N) complex128
        The five functions into which dipole emission decomposes: A, B cos 2 phi, B sin 2 phi, C cos phi, C sin phi
        with A, B = (T_p cos th_m +- T_s) / 2 and C = -T_p sin th_m, each over sqrt(cos th_i) (Stallinga & Rieger 2010).
    products : (6, N, N) float64
        What dipoles send to each cell, by second moment (`PAIRS`), averaged over the cell: not that of the
        averaged amplitudes, which vary within the cells at the edge and at the critical angle.
    kz_sample, kz_immersion : (N, N) complex128
        Axial wave numbers, rad per nm; imaginary above the critical angle of the sample.
    k_edge : float
        Lateral wave number of the pupil's edge, rad per nm.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    amplitudes: NDArray[np.complex128]
    products: NDArray[np.float64]
    kz_sample: NDArray[np.complex128]
    kz_immersion: NDArray[np.complex128]
    k_edge: float

    @classmethod
    @lru_cache(maxsize=8)  # a search for the blur asks for the same pupil again and again
    def of(cls, objective: Objective, samples: int) -> Pupil:
        """Compute the pupil of an objective on `samples` x `samples` cells."""
        centers = _centers(samples)
        x, y = np.meshgrid(centers, centers)
        waves = PlaneWaves.at(objective, np.minimum(np.hypot(x, y), 1.0))
        k0 = 2 * np.pi / objective.wavelength_nm
        amplitudes, products = _cell_averages(objective, samples)
        return cls(
            x=x, y=y, amplitudes=amplitudes, products=products,
            kz_sample=k0 * objective.sample_index * waves.cos_sample,
            kz_immersion=k0 * objective.immersion_index * waves.cos_immersion,
            k_edge=k0 * objective.numerical_aperture,
        )  # fmt: skip


def _centers(samples: int) -> NDArray[np.float64]:
    return (np.arange(samples) + 0.5) * 2 / samples - 1


def _cell_averages(objective: Objective, samples: int) -> tuple[NDArray[np.complex128], NDArray[np.float64]]:
    """Average the five functions and the products of dipoles over each cell, a row of cells at a time."""
    fine = _centers(samples * SUBCELLS)
    averages, products = np.empty((5, samples, samples), complex), np.empty((6, samples, samples))
    for row, ys in enumerate(fine.reshape(samples, SUBCELLS)):
        cells = _dipole_functions(objective, *np.meshgrid(fine, ys)).reshape(5, SUBCELLS, samples, SUBCELLS)
        averages[:, row] = cells.mean((1, 3))
        products[:, row] = np.stack(moment_products(*cells)).mean((1, 3))
    return averages, products


def _dipole_functions(objective: Objective, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.complex128]:
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    waves = PlaneWaves.at(objective, np.minimum(radius, 1.0))
    apodization = (radius <= 1) / np.sqrt(waves.cos_immersion)
    a = apodization * (waves.p * waves.cos_sample + waves.s) / 2
    b = apodization * (waves.p * waves.cos_sample - waves.s) / 2
    c = -apodization * waves.p * waves.sin_sample
    return np.stack((a, b * np.cos(2 * angle), b * np.sin(2 * angle), c * np.cos(angle), c * np.sin(angle)))
