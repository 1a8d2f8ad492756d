"""Batched Levenberg-Marquardt: position, photons and background of many emitters at once.

Each fit has a damping of its own and leaves the batch when it has converged, so that a few hard ones do not hold up the
others. Sources: Laurence & Chromy, Nat. Methods 7 (2010) for the Poisson form; Smith et al. 2010 for the task.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from array_api_compat import array_namespace

from models.fitting.likelihood import deviance, score
from models.optics.arrays import Array, constant_like
from models.optics.crlb import bounds
from models.optics.expected import PARAMETERS, expected
from models.optics.spot import DifferentiableSpot

MARGIN_NM = 1e-2
"""So far inside the spot's limits a fit stays."""
LIGHT_LIMITS = ((1.0, 1e9), (1e-3, 1e7))
"""Of photons and background."""
FIRST_DAMPING, EASE, STIFFEN, HOPELESS = 1e-2, 0.1, 8.0, 1e8


@dataclass(frozen=True, slots=True)
class Options:
    """How to fit.

    Parameters
    ----------
    free : tuple of str
        Which of x_nm, y_nm, z_nm, photons and background are fitted; the others stay at their start.
    most_steps : int
        A fit that has not converged by then is marked.
    tolerance : float
        Converged when a step is expected to lower the deviance by less.
    chunk : int
        Fits computed together; their images then stay in the processor's cache.
    """

    free: tuple[str, ...] = PARAMETERS
    most_steps: int = 40
    tolerance: float = 1e-3
    chunk: int = 256


@dataclass(frozen=True, slots=True)
class Prior:
    """What is known before: independent Gaussians.

    Parameters
    ----------
    mean, sigma : (n, 5) float
        In the order of `PARAMETERS`; infinite sigma for what is not known.
    """

    mean: Array
    sigma: Array


@dataclass(frozen=True, slots=True)
class Fits:
    """What was found.

    Parameters
    ----------
    parameters : (n, 5) float
        x_nm, y_nm, z_nm, photons, background.
    sigma : (n, 5) float
        Cramer-Rao bounds at the solution, the prior included; infinite for what the image does not tell, 0 for what
        was not free.
    deviance : (n,) float
        About one per pixel less the free parameters where the model is right and pixels have some counts.
    converged : (n,) bool
        False too for counts that are not finite.
    steps : (n,) int
    """

    parameters: Array
    sigma: Array
    deviance: Array
    converged: Array
    steps: Array


def fit(
    spot: DifferentiableSpot,
    counts: Array,
    start: Array,
    variance: Array | float = 0.0,
    options: Options | None = None,
    prior: Prior | None = None,
) -> Fits:
    """Fit one emitter to each window.

    Parameters
    ----------
    spot : DifferentiableSpot
    counts : (n, y, x) float
        Photo-electrons over the excess noise factor; the size of the spot's window. (n, planes, y, x) for `Planes`.
    start : (n, 5) float
        First guess, in the order of `PARAMETERS`; `models/fitting/start.py` makes one.
    variance : float, (y, x) or (n, y, x)
        Of the read noise, in the same unit squared.
    options : Options
    prior : Prior or None

    Raises
    ------
    ValueError
        Windows have another size than the spot's.
    """
    xp, options = array_namespace(counts), options or Options()
    if counts.shape[-2:] != (spot.size_px, spot.size_px):
        raise ValueError(f"windows of {counts.shape[-2:]} pixels, spots of {spot.size_px}: cut windows of that size")
    pixels = math.prod(counts.shape[1:])
    flat = xp.reshape(counts, (-1, pixels))
    noise = xp.reshape(xp.zeros_like(counts) + variance, (-1, pixels))
    parts = []
    for at in range(0, max(len(flat), 1), options.chunk):
        cut = slice(at, at + options.chunk)
        known = None if prior is None else Prior(prior.mean[cut], prior.sigma[cut])
        parts.append(_Batch(spot, flat[cut], noise[cut], options, known).run(start[cut]))
    return Fits(*(xp.concat([getattr(part, name) for part in parts]) for name in Fits.__dataclass_fields__))


class _Batch:
    """One chunk of fits."""

    def __init__(
        self, spot: DifferentiableSpot, counts: Array, variance: Array, options: Options, prior: Prior | None
    ) -> None:
        self._xp, self._spot, self._options, self._prior = array_namespace(counts), spot, options, prior
        self._good = self._xp.all(self._xp.isfinite(counts + variance), axis=1)
        self._counts, self._variance = (self._finite(values) for values in (counts, variance))
        self._free = [PARAMETERS.index(name) for name in options.free]
        edges = (*((low + MARGIN_NM, high - MARGIN_NM) for low, high in spot.limits_nm), *LIGHT_LIMITS)
        self._low, self._high = (constant_like(list(side), counts) for side in zip(*edges, strict=True))

    def run(self, start: Array) -> Fits:
        """Step until all fits have converged or taken too many steps."""
        xp, most = self._xp, self._options.most_steps
        everyone = xp.arange(len(start))
        theta = self._inside(self._finite(start))
        cost, gradient, information = self._evaluate(theta, everyone)
        damping, steps = 0 * cost + FIRST_DAMPING, 0 * everyone
        converged, rows = ~self._good, everyone[self._good]
        for _ in range(most):
            if not len(rows):
                break
            step = _step(gradient[rows], information[rows], damping[rows])
            trial = self._inside(theta[rows] + self._spread(step))
            new_cost, new_gradient, new_information = self._evaluate(trial, rows)
            better = new_cost <= cost[rows]
            gain = xp.sum(step * gradient[rows], axis=1)  # of the deviance, to first order, by twice the step
            taken = rows[better]
            steps[rows] += 1
            converged[rows] = (gain < self._options.tolerance) | (damping[rows] > HOPELESS)
            theta[taken], cost[taken] = trial[better], new_cost[better]
            gradient[taken], information[taken] = new_gradient[better], new_information[better]
            damping[rows] = xp.where(better, damping[rows] * EASE, damping[rows] * STIFFEN)
            rows = rows[~converged[rows]]
        sigma = self._spread(bounds(information))
        return Fits(theta, sigma, self._deviance(theta), converged & self._good, steps)

    def _evaluate(self, theta: Array, rows: Array) -> tuple[Array, Array, Array]:
        """Return cost (n,), gradient (n, free) and information (n, free, free) of some fits."""
        mean, jacobian = expected(self._spot, theta)
        counts, variance = self._counts[rows], self._variance[rows]
        cost = deviance(counts, mean, variance)
        gradient, information = score(counts, mean, self._chosen(jacobian), variance)
        if self._prior is not None:
            pull = (self._prior.mean[rows] - theta) / self._prior.sigma[rows]
            weight = self._chosen(1 / self._prior.sigma[rows])
            cost = cost + self._xp.sum(self._chosen(pull) ** 2, axis=1)
            gradient = gradient + self._chosen(pull) * weight
            information = information + weight[:, :, None] ** 2 * constant_like(np.eye(len(self._free)), theta)
        return cost, gradient, information

    def _deviance(self, theta: Array) -> Array:
        return deviance(self._counts, expected(self._spot, theta)[0], self._variance)

    def _chosen(self, values: Array) -> Array:
        """Keep the free parameters of axis 1."""
        return self._xp.stack([values[:, k] for k in self._free], axis=1)

    def _spread(self, values: Array) -> Array:
        """Return (n, 5) with zeros for what is not free."""
        nothing, given = 0 * values[:, 0], dict(zip(self._free, range(len(self._free)), strict=True))
        return self._xp.stack([values[:, given[k]] if k in given else nothing for k in range(5)], axis=1)

    def _inside(self, theta: Array) -> Array:
        theta = self._xp.where(theta < self._low, self._low, theta)
        return self._xp.where(theta > self._high, self._high, theta)

    def _finite(self, values: Array) -> Array:
        return self._xp.where(self._xp.isfinite(values), values, self._xp.zeros_like(values))


def _step(gradient: Array, information: Array, damping: Array) -> Array:
    """Solve the damped normal equations in units in which each parameter has information one."""
    xp = array_namespace(gradient)
    diagonal = xp.linalg.diagonal(information)
    scale = xp.where(diagonal > 0, diagonal, 0 * diagonal + 1) ** 0.5
    normal = information / scale[:, :, None] / scale[:, None, :]
    normal = normal + damping[:, None, None] * constant_like(np.eye(gradient.shape[1]), gradient)
    return xp.linalg.solve(normal, (gradient / scale)[:, :, None])[:, :, 0] / scale
