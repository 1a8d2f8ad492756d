"""The image of a dipole whose orientation is fixed, or that wobbles in a cone.

Fast wobbling averages the products of the dipole's components, so the image is linear in their six second moments.
Sources: Stallinga & Rieger, Opt. Express 18 (2010); Backer & Moerner, J. Phys. Chem. B 118 (2014) for the moments.
"""

from __future__ import annotations

from math import pi

from array_api_compat import array_namespace

from models.optics.arrays import Array
from models.optics.propagator import Propagator, Setup
from models.optics.pupil import PAIRS, moment_products
from models.optics.transform import filter_pixels


def second_moments(theta_rad: Array, phi_rad: Array, mobility: Array) -> Array:
    """Return the second moments (n, 6), in the order of `PAIRS`.

    Parameters
    ----------
    theta_rad : (n,) float
        Angle to the optical axis.
    phi_rad : (n,) float
        Azimuth, from x towards y.
    mobility : (n,) float
        g from 0, fixed, to 1, free: the moments are (1 - g) p p + g / 3. `mobility_of_cone` gives it for a wobble.
    """
    xp = array_namespace(theta_rad)
    p = (xp.sin(theta_rad) * xp.cos(phi_rad), xp.sin(theta_rad) * xp.sin(phi_rad), xp.cos(theta_rad))
    return xp.stack([(1 - mobility) * p[a] * p[b] + mobility / 3 * (a == b) for a, b in PAIRS], axis=1)


def moment_slopes(theta_rad: Array, phi_rad: Array, mobility: Array) -> Array:
    """Return the derivatives (n, 3, 6) of `second_moments` by theta and phi per rad, and by mobility."""
    xp = array_namespace(theta_rad)
    sin, cos, c, s = xp.sin(theta_rad), xp.cos(theta_rad), xp.cos(phi_rad), xp.sin(phi_rad)
    p, by_theta, by_phi = (sin * c, sin * s, cos), (cos * c, cos * s, -sin), (-sin * s, sin * c, 0 * sin)
    slopes = [
        xp.stack([(1 - mobility) * (d[a] * p[b] + p[a] * d[b]) for a, b in PAIRS], axis=1) for d in (by_theta, by_phi)
    ]
    by_mobility = xp.stack([(a == b) / 3 - p[a] * p[b] for a, b in PAIRS], axis=1)
    return xp.stack([*slopes, by_mobility], axis=1)


def mobility_of_cone(half_angle_rad: Array) -> Array:
    """Return g of a dipole that wobbles evenly in a cone: 1 - cos a (1 + cos a) / 2 (Backer & Moerner 2014).

    Raises
    ------
    ValueError
        An angle outside 0 to pi / 2.
    """
    xp = array_namespace(half_angle_rad)
    if bool(xp.any((half_angle_rad < 0) | (half_angle_rad > pi / 2 + 1e-6))):
        raise ValueError(f"half angle of a cone {half_angle_rad} rad: must be from 0 to pi / 2")
    cos = xp.cos(half_angle_rad)
    return 1 - cos * (1 + cos) / 2


class DipoleSpot:
    """Exact spots of dipoles with known orientation, for numpy and torch.

    Parameters
    ----------
    setup : Setup
    pixel_size_nm : float
    size_px : int
        Edge of the window; odd.
    """

    def __init__(self, setup: Setup, pixel_size_nm: float, size_px: int = 31) -> None:
        self.pixel_size_nm, self.size_px = pixel_size_nm, size_px
        self._taps = setup.taps(pixel_size_nm)
        self.propagator = Propagator(setup, size_px + len(self._taps) - 1, pixel_size_nm)

    def __call__(self, position_nm: Array, moments: Array) -> Array:
        """Return (n, size_px, size_px): the share of the photons collected from that dipole on each pixel.

        Parameters
        ----------
        position_nm : (n, 3) float
        moments : (n, 6) float
            As `second_moments` returns them; the trace is 1.
        """
        xp = array_namespace(position_nm)
        images, energies = self.basis(position_nm)
        return xp.sum(images * moments[:, :, None, None], axis=1) / xp.sum(energies * moments, axis=1)[:, None, None]

    def basis(self, position_nm: Array) -> tuple[Array, Array]:
        """Return the image of each second moment, (n, 6, size_px, size_px), and its energy, (n, 6)."""
        xp = array_namespace(position_nm)
        fields = self.propagator.fields(position_nm, 0 * position_nm[:, 0], None)
        images = xp.stack(moment_products(*(fields.values[:, k] for k in range(5))), axis=1)
        return filter_pixels(images, self._taps), self.propagator.energy(position_nm, fields.decay)[0]
