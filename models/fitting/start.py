"""First guesses for a fit: the centroid, the best of some z, photons and background by least squares."""

from __future__ import annotations

from collections.abc import Sequence

from array_api_compat import array_namespace

from models.optics.arrays import Array, constant_like
from models.optics.spot import Spot


def guess(spot: Spot, counts: Array, z_nm: Sequence[float] = (0.0,), reach_nm: float = 150.0) -> Array:
    """Return a first guess (n, 5): x_nm, y_nm, z_nm, photons, background.

    Parameters
    ----------
    spot : Spot
    counts : (n, y, x) float
        Windows of the spot's size; what is not finite counts as nothing.
    z_nm : sequence of float
        Tried one after the other, the best by least squares is taken: spots that look alike at two z need several.
    reach_nm : float
        The centroid is at most so far from the centre.
    """
    xp = array_namespace(counts)
    counts = xp.where(xp.isfinite(counts), counts, xp.zeros_like(counts))
    x, y = _centroid(spot, counts, reach_nm)
    best, least = None, None
    for z in z_nm:
        position = xp.stack((x, y, 0 * x + z), axis=1)
        photons, background, residual = _light(spot(position), counts)
        trial = xp.concat((position, photons[:, None], background[:, None]), axis=1)
        if best is None:
            best, least = trial, residual
        else:
            better = residual < least
            best, least = xp.where(better[:, None], trial, best), xp.where(better, residual, least)
    assert best is not None, "z_nm holds no z"
    return best


def _centroid(spot: Spot, counts: Array, reach_nm: float) -> tuple[Array, Array]:
    xp = array_namespace(counts)
    u = constant_like([(k - (spot.size_px - 1) / 2) * spot.pixel_size_nm for k in range(spot.size_px)], counts)
    level = xp.mean(counts, axis=(1, 2))[:, None, None]
    light = xp.where(counts > level, counts - level, 0 * counts)
    total = xp.sum(light, axis=(1, 2)) + 1e-9
    x, y = xp.sum(light * u, axis=(1, 2)) / total, xp.sum(light * u[:, None], axis=(1, 2)) / total
    return xp.clip(x, -reach_nm, reach_nm), xp.clip(y, -reach_nm, reach_nm)


def _light(images: Array, counts: Array) -> tuple[Array, Array, Array]:
    """Return photons, background and the sum of squares that is left, (n,) each."""
    xp = array_namespace(counts)
    image, level = (xp.mean(values, axis=(1, 2))[:, None, None] for values in (images, counts))
    shape, light = images - image, counts - level
    photons = xp.sum(shape * light, axis=(1, 2)) / xp.sum(shape**2, axis=(1, 2))
    photons = xp.where(photons > 1, photons, 0 * photons + 1)
    background = (level - photons[:, None, None] * image)[:, 0, 0]
    residual = xp.sum((light - photons[:, None, None] * shape) ** 2, axis=(1, 2))
    return photons, xp.where(background > 0.01, background, 0 * background + 0.01), residual
