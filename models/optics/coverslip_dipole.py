"""Dipoles that lie on the coverslip, each at a focus of its own: images and their derivatives, for numpy and torch.

On the coverslip the light above the critical angle reaches the objective, and with it the image tells on which side of
the vertical a dipole leans; in a matched medium that cannot be told from being on the other side of the focus.
Sources: `models/optics/dipole.py`; the image is linear in the second moments, so its derivatives are too.
"""

from __future__ import annotations

from math import radians

from array_api_compat import array_namespace

from models.optics.arrays import Array
from models.optics.dipole import moment_slopes, second_moments
from models.optics.objective import Objective
from models.optics.propagator import Fields, Propagator, Setup
from models.optics.pupil import moment_products
from models.optics.transform import filter_pixels

STEP_NM = 100.0
"""Of the difference that gives the derivative of a quadratic form, exactly; fields change by their own size over it."""


class CoverslipDipole:
    """Images of the six second moments, and of dipoles.

    Parameters
    ----------
    objective : Objective
    pixel_size_nm : float
    size_px : int
        Edge of the window.
    batch : int
        Emitters computed at once.
    """

    def __init__(self, objective: Objective, pixel_size_nm: float, size_px: int, batch: int = 16) -> None:
        setup = Setup(objective)
        self._taps, self._batch = setup.taps(pixel_size_nm), batch
        self._propagator = Propagator(setup, size_px + len(self._taps) - 1, pixel_size_nm)
        self._paraxial = objective.immersion_index / objective.sample_index

    def basis(self, place_nm: Array) -> tuple[Array, Array]:
        """Return the image of each second moment, (n, 6, y, x), and its energy, (n, 6).

        Parameters
        ----------
        place_nm : (n, 3) float
            x, y from the centre of the window, z of the coverslip from the focal plane.
        """
        parts = [self._images(*self._fields(place_nm[at : at + self._batch])) for at in self._starts(place_nm)]
        images, energies = zip(*parts, strict=True)
        xp = array_namespace(place_nm)
        return xp.concat(images), xp.concat(energies)

    def basis_slopes(self, place_nm: Array) -> Array:
        """Return the derivatives of these images by x, y and z per nm, (n, 3, 6, y, x)."""
        parts = [self._slopes(self._fields(place_nm[at : at + self._batch])[0]) for at in self._starts(place_nm)]
        return array_namespace(place_nm).concat(parts)

    def _starts(self, place_nm: Array) -> range:
        return range(0, max(len(place_nm), 1), self._batch)

    def _fields(self, place_nm: Array) -> tuple[Fields, Array]:
        """Return fields, and the positions: on the coverslip; the focal plane moves by the paraxial rule."""
        xp = array_namespace(place_nm)
        position = xp.concat((place_nm[:, :2], 0 * place_nm[:, 2:]), axis=1)
        return self._propagator.fields(position, place_nm[:, 2] * self._paraxial, None), position

    def _images(self, fields: Fields, position: Array) -> tuple[Array, Array]:
        return self._filtered(fields.values), self._propagator.energy(position, fields.decay)[0]

    def _slopes(self, fields: Fields) -> Array:
        xp, values = array_namespace(fields.values), fields.values
        by_x, by_y, _ = fields.by_position()
        (by_z,) = fields.by_phase(fields.constants.kz_immersion[None] * self._paraxial)
        slopes = [
            (self._filtered(values + STEP_NM * one) - self._filtered(values - STEP_NM * one)) / (2 * STEP_NM)
            for one in (by_x, by_y, by_z)
        ]
        return xp.stack(slopes, axis=1)

    def _filtered(self, values: Array) -> Array:
        products = moment_products(*(values[:, k] for k in range(5)))
        return filter_pixels(array_namespace(values).stack(products, axis=1), self._taps)


def dipole_images(images: Array, energies: Array, moments: Array) -> Array:
    """Return the share of the collected photons on each pixel, (n, y, x), of moments (n, 6) on a basis."""
    xp = array_namespace(images)
    return xp.sum(images * moments[:, :, None, None], axis=1) / xp.sum(energies * moments, axis=1)[:, None, None]


def moments_of(degrees: Array) -> Array:
    """Return the second moments (n, 6) of theta and phi in degrees and mobility, (n, 3)."""
    return second_moments(degrees[:, 0] * radians(1), degrees[:, 1] * radians(1), degrees[:, 2])


def dipole_slopes(images: Array, energies: Array, slopes: Array, degrees: Array) -> Array:
    """Return the derivatives (n, 6, y, x) by x, y, z per nm, theta and phi per degree, and mobility.

    Parameters
    ----------
    images, energies, slopes
        As `CoverslipDipole.basis` and `basis_slopes` return them.
    degrees : (n, 3) float
        As of `moments_of`.
    """
    xp, moments = array_namespace(images), moments_of(degrees)
    energy = xp.sum(energies * moments, axis=1)[:, None, None]
    image = dipole_images(images, energies, moments)
    by_place = xp.sum(slopes * moments[:, None, :, None, None], axis=2) / energy[:, None]
    theta, phi, mobility = degrees[:, 0] * radians(1), degrees[:, 1] * radians(1), degrees[:, 2]
    by_moments = moment_slopes(theta, phi, mobility)
    units, found = (radians(1), radians(1), 1.0), [by_place]
    for k, unit in enumerate(units):
        change = by_moments[:, k]
        light = xp.sum(images * change[:, :, None, None], axis=1)
        collected = xp.sum(energies * change, axis=1)[:, None, None]
        found.append(unit * ((light - image * collected) / energy)[:, None])
    return xp.concat(found, axis=1)
