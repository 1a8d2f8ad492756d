"""The exact probability of a count given the expected photons: Poisson and read noise, with or without an EM register.

For numpy and torch alike, differentiable in the photons. `models/fitting/likelihood.py` has the approximation that is
quick enough for fits: a shifted Poisson law, and half the counts behind an EM register.
"""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np
from array_api_compat import array_namespace, is_numpy_array
from scipy import special

from models.camera import Camera, FloatMap
from models.optics.arrays import Array, constant_like

REACH_SIGMA = 8.0
"""Read noise beyond this many standard deviations is left out: 1e-15 of the probability."""
NODES = 64
LEAST_SIGMA_ADU = 0.02
TINY = 1e-30


def log_probability(adu: Array, photons: Array, camera: Camera) -> Array:
    """Return the logarithm of the probability of each count.

    Parameters
    ----------
    adu : (..., y, x) float
        Whole counts, below saturation and above zero, where the converter clips nothing.
    photons : (..., y, x) float
        Expected photons; positive. Gradients flow through it.
    camera : Camera
        Its full well is taken as not reached.

    Returns
    -------
    (..., y, x)
        Natural logarithm; at least log(1e-30).
    """
    electrons = photons * camera.quantum_efficiency + _like(camera.spurious_e, photons)
    gain, sigma = _like(camera.gain_adu_per_e, photons), _like(camera.read_noise_e, photons)
    # A read noise far below one count changes nothing but the smoothness of the integrand.
    sigma = array_namespace(sigma).maximum(sigma, LEAST_SIGMA_ADU / gain)
    base = _like(camera.offset_adu, photons) - gain * camera.em_gain * _like(camera.spurious_e, photons)
    read = (adu - base) / gain
    if camera.em_gain > 1:
        total = _register(read, electrons, gain, sigma, camera.em_gain)
    else:
        total = _without_register(read, electrons, gain, sigma)
    return array_namespace(total).log(total + TINY)


def log_likelihood(adu: Array, photons: Array, camera: Camera) -> Array:
    """Return the log-likelihood of (..., y, x) counts given the expected photons, (...)."""
    return array_namespace(photons).sum(log_probability(adu, photons, camera), axis=(-2, -1))


def _without_register(read: Array, mean: Array, gain: Array, sigma: Array) -> Array:
    """Sum over the whole electrons within reach of the count (Huang et al. 2013, supplementary note, eq. 1)."""
    xp = array_namespace(mean)
    reach = ceil(float(xp.max(REACH_SIGMA * sigma + 0.5 / gain))) + 1
    steps = constant_like(np.arange(-reach, reach + 1.0), mean)
    n = xp.round(read)[..., None] + steps
    mean, counted = mean[..., None], xp.where(n > 0, n, 0 * n)
    poisson = xp.exp(counted * xp.log(mean + TINY) - mean - _special(mean).gammaln(counted + 1))
    return xp.sum(xp.where(n < 0, 0 * n, poisson * _bin(read, n, gain, sigma)), axis=-1)


def _register(read: Array, mean: Array, gain: Array, sigma: Array, em_gain: float) -> Array:
    """Convolve the register's output with the read noise by Gauss-Legendre quadrature over the reach of the noise.

    The output x of n ~ Poisson(mean) electrons is Gamma(n, G): with probability exp(-mean) nothing, else of density
    exp(-mean - x/G) sqrt(mean/(x G)) I1(2 sqrt(mean x/G)) (Ulbrich and Isacoff, Nat. Methods 4, 2007; Hirsch et al.,
    PLoS ONE 8, 2013).
    """
    xp = array_namespace(mean)
    reach = REACH_SIGMA * sigma + 0.5 / gain
    low, high = read - reach, read + reach
    low, high = xp.where(low > 0, low, 0 * low), xp.where(high > 0, high, 0 * high)
    nodes, weights = (constant_like(values, mean) for values in np.polynomial.legendre.leggauss(NODES))
    x = low[..., None] + (high - low)[..., None] * (nodes + 1) / 2
    lam, out = mean[..., None] + TINY, x / em_gain
    z = 2 * xp.sqrt(lam * out + TINY)
    # exp(-(sqrt a - sqrt b)^2) of the scaled Bessel function: neither part overflows.
    density = lam / em_gain * xp.exp(-((xp.sqrt(lam) - xp.sqrt(out)) ** 2)) * 2 * _special(mean).i1e(z) / z
    spread = xp.sum(weights * density * _bin(read, x, gain, sigma), axis=-1) * (high - low) / 2
    nothing = _bin(read, 0 * x[..., :1], gain, sigma)[..., 0]
    return xp.exp(-mean) * nothing + spread


def _bin(read: Array, electrons: Array, gain: Array, sigma: Array) -> Array:
    """Probability that `electrons` (..., k) are read as the count at `read` (...), one ADU wide."""
    xp, special_of = array_namespace(electrons), _special(electrons)
    wide = xp.zeros_like(read) + sigma
    distance = xp.abs((read[..., None] - electrons) / wide[..., None])  # the side where no digits cancel
    half = (0.5 / (gain * wide))[..., None]
    return special_of.ndtr(half - distance) - special_of.ndtr(-half - distance)


def _special(like: Array) -> Any:
    """Return the special functions of the library; scipy and torch give them the same names."""
    return special if is_numpy_array(like) else array_namespace(like).special


def _like(value: float | FloatMap, like: Array) -> Array:
    return constant_like(np.asarray(value), like)
