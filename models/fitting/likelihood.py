"""Likelihood of camera counts under Poisson noise with read noise of known variance.

counts + variance are taken as Poisson with mean mu + variance (Huang et al., Nat. Methods 10, 2013): exact without read
noise, with the right mean and variance otherwise. Behind an EM register divide counts by the excess noise factor first.
"""

from __future__ import annotations

from array_api_compat import array_namespace

from models.optics.arrays import Array

LEAST = 1e-3
"""Lowest shifted count and mean: read noise can make a count negative, a logarithm cannot."""


def shifted(values: Array, variance: Array) -> Array:
    """Return values + variance, at least `LEAST`."""
    total = values + variance
    return array_namespace(total).where(total > LEAST, total, 0 * total + LEAST)


def deviance(counts: Array, mean: Array, variance: Array) -> Array:
    """Return twice the log-likelihood lost against a model that fits every pixel, (n,); about one per free pixel.

    Parameters
    ----------
    counts, mean : (n, pixels) float
        Photo-electrons over the excess noise factor, and what is expected of them.
    variance : (n, pixels) or broadcast
        Of the read noise, in the same unit squared.
    """
    xp = array_namespace(mean)
    d, m = shifted(counts, variance), shifted(mean, variance)
    return 2 * xp.sum(m - d + d * xp.log(d / m), axis=1)


def score(counts: Array, mean: Array, jacobian: Array, variance: Array) -> tuple[Array, Array]:
    """Return the gradient of the log-likelihood (n, p) and the Fisher information (n, p, p)."""
    xp = array_namespace(mean)
    m = shifted(mean, variance)
    weighted = jacobian / m[:, None]
    gradient = (weighted @ (shifted(counts, variance) - m)[:, :, None])[:, :, 0]
    return gradient, weighted @ xp.matrix_transpose(jacobian)
