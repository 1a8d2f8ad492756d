"""From an emitter through the pupil to the five electric fields on the camera (see `Pupil` for the five).

    G_X(u) = sum over the pupil of X exp(i (phase + height kz_sample + focus kz_immersion + k (u - x)))

height: of the emitter above the coverslip; focus: of the stage; phase: aberrations and mask. Light above the critical
angle decays with the height. The unit of G is free; `energy` is what |G|^2 sums
to over an infinite window, by Parseval.
Sources: Richards & Wolf 1959; Stallinga & Rieger, Opt. Express 18 (2010); Soummer et al. 2007 for the transform.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from array_api_compat import array_namespace, device
from numpy.typing import NDArray

from models.optics import zernike
from models.optics.arrays import Array, constant_like, unit_wave
from models.optics.objective import Objective
from models.optics.pupil import PAIRS, Pupil
from models.optics.transform import pixel_taps, plane_waves

Mask = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.complex128]]
"""A complex transmission at (x, y) of the pupil, whose edge is at radius 1; exp(i phase) absorbs nothing."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What an image depends on besides the emitter.

    Parameters
    ----------
    objective : Objective
    zernike_waves : mapping of Noll index to float
        Aberrations in waves, unit root mean square each.
    mask : Mask or None
        In the pupil.
    height_nm : float
        Height of the focal plane above the coverslip, by the paraxial rule; positions count from there.
    focus_nm : float
        Defocus of the stage beside that; positive moves the focal plane towards the objective.
    blur_nm : float
        Standard deviation of what else spreads the light on the camera: vibration, its pixels, a bead's size.
    pupil_samples : int
        Cells along the pupil's diameter: 64 for 1 % of the image, 128 for 0.2 %; at least 128 for emitters more than
        500 nm above the coverslip where the aperture exceeds the sample's index.
    """

    objective: Objective = field(default_factory=Objective)
    zernike_waves: Mapping[int, float] | None = None
    mask: Mask | None = None
    height_nm: float = 0.0
    focus_nm: float = 0.0
    blur_nm: float = 0.0
    pupil_samples: int = 64

    def taps(self, pixel_size_nm: float) -> tuple[float, ...]:
        """Return the filter from points to pixels, the blur included."""
        band = 4 * np.pi * self.objective.numerical_aperture / self.objective.wavelength_nm * pixel_size_nm
        return pixel_taps(band, self.blur_nm / pixel_size_nm)


class _Constants(NamedTuple):
    k: Array
    """(N,) lateral wave numbers of the columns, and of the rows."""
    amplitudes: Array
    """(5, N, N) with aberrations and mask."""
    products: Array
    """(6, N, N): what each cell adds to the energy, by second moment of the dipole."""
    kz_sample: Array
    decay: Array
    kz_immersion: Array


@dataclass(frozen=True, slots=True)
class Fields:
    """Electric fields on the camera, and how they change.

    Parameters
    ----------
    values : (n, 5, y, x) complex
    decay : (n, N, N) or None
        Amplitude that is left of each cell; None where no light is above the critical angle.
    rows, columns : (n, 1, y, N), (n, 1, N, x) complex
        Plane waves.
    pupil : (n, 5, N, N) complex
    above : (n,) bool
        Whether the emitter is above the coverslip.
    constants : _Constants
    """

    values: Array
    decay: Array | None
    rows: Array
    columns: Array
    pupil: Array
    above: Array
    constants: _Constants

    def by_position(self) -> tuple[Array, Array, Array]:
        """Return the derivatives by x, y and z of the emitter per nm, each (n, 5, y, x)."""
        c = self.constants
        by_x = self.rows @ self.pupil @ (-1j * c.k[:, None] * self.columns)
        by_y = (-1j * c.k * self.rows) @ self.pupil @ self.columns
        rate = 1j * c.kz_sample[None] - c.decay[None] * self.above[:, None, None]
        return by_x, by_y, self.rows @ (self.pupil * rate[:, None]) @ self.columns

    def by_phase(self, basis: Array) -> Iterator[Array]:
        """Yield the derivative by each coefficient of the pupil's phase, (n, 5, y, x), for a basis (m, N, N) in rad."""
        for mode in basis:
            yield self.rows @ (self.pupil * (1j * mode)) @ self.columns

    def by_cells(self, response: Array) -> tuple[Array, Array]:
        """Return how a number changes with each cell's phase in rad and with its logarithm of the amplitude.

        Parameters
        ----------
        response : (n, 5, y, x) complex
            The number changes by the real part of the sum of conj(response) times the change of the fields.

        Returns
        -------
        (n, N, N), (n, N, N) float
        """
        xp = array_namespace(response)
        back = _adjoint(self.rows) @ response @ _adjoint(self.columns)
        change = xp.sum(xp.conj(back) * self.pupil, axis=1)
        return -xp.imag(change), xp.real(change)


class Propagator:
    """Computes the fields of emitters on a square window.

    Parameters
    ----------
    setup : Setup
    samples : int
        Points along the window's edge.
    pitch_nm : float
        Distance of the points.
    """

    def __init__(self, setup: Setup, samples: int, pitch_nm: float) -> None:
        self.setup, self.samples, self.pitch_nm = setup, samples, pitch_nm
        self.pupil = Pupil.of(setup.objective, setup.pupil_samples)
        transmission = self._transmission()
        self.amplitudes = self.pupil.amplitudes * transmission
        self.supercritical = bool((self.pupil.kz_sample.imag > 0).any())
        self._constants: dict[tuple[str, str], _Constants] = {}

    def fields(self, position_nm: Array, focus_nm: Array, phase_rad: Array | None) -> Fields:
        """Return the fields of emitters.

        Parameters
        ----------
        position_nm : (n, 3) float
            x and y from the centre of the window, z from the focal plane.
        focus_nm : (n,) float
            Added to the setup's.
        phase_rad : (n, N, N) float or complex, or None
            Added to the pupil's phase; the imaginary part absorbs.
        """
        xp, c = array_namespace(position_nm), self._like(position_nm)
        height = position_nm[:, 2] + self.setup.height_nm
        above = xp.where(height > 0, height, 0 * height)  # nothing grows exponentially below the coverslip
        phase = height[:, None, None] * c.kz_sample + self._focus(focus_nm)[:, None, None] * c.kz_immersion
        wave = unit_wave(phase if phase_rad is None else phase + phase_rad)
        decay = xp.exp(-above[:, None, None] * c.decay) if self.supercritical else None
        pupil = c.amplitudes[None] * (wave if decay is None else wave * decay)[:, None]
        columns = xp.matrix_transpose(plane_waves(c.k, position_nm[:, 0], self.samples, self.pitch_nm))[:, None]
        rows = plane_waves(c.k, position_nm[:, 1], self.samples, self.pitch_nm)[:, None]
        return Fields(rows @ pupil @ columns, decay, rows, columns, pupil, height > 0, c)

    def energy(self, position_nm: Array, decay: Array | None) -> tuple[Array, Array]:
        """Return what each second moment of |G|^2 sums to over an infinite window, and its derivative by z.

        Parameters
        ----------
        position_nm : (n, 3) float
        decay : (n, N, N) or None
            As in `Fields`.

        Returns
        -------
        (n, 6), (n, 6) float
            In the order of `PAIRS`, in units of |G|^2 per point of the window.
        """
        xp, step, c = (
            array_namespace(position_nm),
            self.pupil.k_edge * 2 / self.setup.pupil_samples,
            self._like(position_nm),
        )
        points = (2 * np.pi / step / self.pitch_nm) ** 2
        cells = self.setup.pupil_samples**2
        products = xp.reshape(c.products, (len(PAIRS), cells))
        if decay is None:
            energy = points * xp.sum(products, axis=1) + 0 * position_nm[:, :1]
            return energy, 0 * energy
        left = xp.reshape(decay, (len(decay), cells)) ** 2
        above = (position_nm[:, 2] + self.setup.height_nm > 0)[:, None]
        slope = left * (-2 * xp.reshape(c.decay, (-1,))) * above
        return points * left @ products.T, points * slope @ products.T

    def zernike_phase(self, modes: tuple[int, ...], waves: Array) -> Array:
        """Return the phase (n, N, N) rad of Noll modes with coefficients (n, modes) in waves."""
        basis = constant_like(2 * np.pi * zernike.basis(modes, self.pupil.x, self.pupil.y), waves)
        return array_namespace(waves).tensordot(waves, basis, axes=([1], [0]))

    def _transmission(self) -> NDArray[np.complex128]:
        x, y = self.pupil.x, self.pupil.y
        waves = sum((c * zernike.evaluate(j, x, y) for j, c in (self.setup.zernike_waves or {}).items()), 0 * x)
        mask = 1.0 if self.setup.mask is None else self.setup.mask(x, y)
        return np.asarray(np.exp(2j * np.pi * waves) * mask)

    def _focus(self, focus_nm: Array) -> Array:
        o = self.setup.objective
        return focus_nm + self.setup.focus_nm - self.setup.height_nm * o.immersion_index / o.sample_index

    def _like(self, like: Array) -> _Constants:
        """Return the constants in the library, on the device and with the precision of `like`."""
        key = (str(like.dtype), str(device(like)))
        if key not in self._constants:
            p = self.pupil
            arrays = (p.k_edge * p.x[0], self.amplitudes, p.products, p.kz_sample.real, p.kz_sample.imag)
            self._constants[key] = _Constants(*(constant_like(a, like) for a in (*arrays, p.kz_immersion.real)))
        return self._constants[key]


def _adjoint(values: Array) -> Array:
    xp = array_namespace(values)
    return xp.conj(xp.matrix_transpose(values))
