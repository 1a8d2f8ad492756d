"""Expected counts of one emitter on a flat background, and how they change: mu = photons h(x, y, z) + background."""

from __future__ import annotations

import math

from array_api_compat import array_namespace

from models.optics.arrays import Array
from models.optics.spot import DifferentiableSpot

PARAMETERS = ("x_nm", "y_nm", "z_nm", "photons", "background")


def expected(spot: DifferentiableSpot, parameters: Array) -> tuple[Array, Array]:
    """Return expected counts and their Jacobian.

    Parameters
    ----------
    spot : DifferentiableSpot
    parameters : (n, 5) float
        In the order of `PARAMETERS`; background per pixel.

    Returns
    -------
    (n, pixels), (n, 5, pixels) float
        Per unit of each parameter.
    """
    xp = array_namespace(parameters)
    images, gradients = spot.with_gradient(parameters[:, :3])
    pixels = math.prod(images.shape[1:])
    flat = xp.reshape(images, (len(images), pixels))
    slopes = xp.reshape(gradients, (len(images), 3, pixels))
    photons, background = parameters[:, 3:4], parameters[:, 4:5]
    jacobian = xp.concat((photons[:, :, None] * slopes, flat[:, None], 0 * flat[:, None] + 1), axis=1)
    return photons * flat + background, jacobian
