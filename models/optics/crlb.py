"""Cramer-Rao bounds: the smallest standard deviation that any unbiased estimator can have.

    I_ab = sum over pixels of (d mu / d a) (d mu / d b) / (excess mu + variance)

The read-noise variance adds to the Poisson variance (Huang et al. 2013); an EM register doubles the latter (excess
noise factor F^2 = 2). Exact for Poisson noise, the Gaussian approximation otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf

from array_api_compat import array_namespace, device

from models.optics.arrays import Array
from models.optics.expected import PARAMETERS, expected
from models.optics.spot import DifferentiableSpot

FLOOR = 1e-9
"""Photo-electrons squared: a pixel without light and noise must not divide by zero."""


def fisher(jacobian: Array, mean: Array, variance: Array | float = 0.0, excess: float = 1.0) -> Array:
    """Return the Fisher information (n, p, p).

    Parameters
    ----------
    jacobian : (n, p, pixels) float
        Of the expected photo-electrons.
    mean : (n, pixels) float
        Expected photo-electrons.
    variance : float, (pixels,) or (n, pixels)
        Read-noise variance in photo-electrons squared.
    excess : float
        F^2: 2 behind an EM register.
    """
    xp = array_namespace(jacobian)
    weighted = jacobian / (excess * mean + variance + FLOOR)[:, None]
    return weighted @ xp.matrix_transpose(jacobian)


def bounds(information: Array) -> Array:
    """Return the smallest standard deviations (n, p): the roots of the diagonal of the inverse of (n, p, p).

    A parameter that the image does not depend on to first order (z in the focus of an open pupil) gets infinity and is
    left out of the inverse, where it would spoil the others.
    """
    xp = array_namespace(information)
    diagonal = xp.linalg.diagonal(information)
    known = diagonal > xp.finfo(diagonal.dtype).eps * xp.max(diagonal, axis=-1, keepdims=True)
    scale = xp.where(known, diagonal, 0 * diagonal + 1) ** 0.5
    both = known[:, :, None] & known[:, None, :]
    identity = 0 * information + xp.eye(information.shape[-1], dtype=information.dtype, device=device(information))
    correlation = xp.where(both, information / scale[:, :, None] / scale[:, None, :], identity)
    variances = xp.linalg.diagonal(xp.linalg.inv(correlation))
    return xp.where(known, variances**0.5 / scale, 0 * scale + inf)


def spot_bounds(
    spot: DifferentiableSpot,
    parameters: Array,
    variance: Array | float = 0.0,
    excess: float = 1.0,
    free: Sequence[str] = PARAMETERS,
) -> dict[str, Array]:
    """Return the bound of each free parameter of single emitters, (n,) by name.

    Parameters
    ----------
    spot : DifferentiableSpot
    parameters : (n, 5) float
        x_nm, y_nm, z_nm, photons, background per pixel; the last two in photo-electrons.
    variance, excess
        As in `fisher`.
    free : sequence of str
        Which of `PARAMETERS` an estimator does not know; leave z_nm out for a 2D fit.
    """
    xp = array_namespace(parameters)
    mean, jacobian = expected(spot, parameters)
    chosen = xp.stack([jacobian[:, PARAMETERS.index(name)] for name in free], axis=1)
    sigma = bounds(fisher(chosen, mean, variance, excess))
    return {name: sigma[:, k] for k, name in enumerate(free)}


def automatic_jacobian(image: Callable[[Array], Array], parameters: Array) -> tuple[Array, Array]:
    """Return images and their exact Jacobian by forward differentiation: for Zernikes, orientation, anything.

    Parameters
    ----------
    image : callable
        (p,) torch -> expected photo-electrons, any shape.
    parameters : (n, p) torch

    Returns
    -------
    (n, pixels), (n, p, pixels)
    """
    import torch

    means = torch.stack([image(row).reshape(-1) for row in parameters])
    slopes = torch.stack([torch.func.jacfwd(image)(row).reshape(-1, len(row)).T for row in parameters])
    return means, slopes
