"""From beads all over the field to a polynomial for each coefficient, of no higher order than the beads prove.

Each bead is fitted by itself, from what all together gave. The polynomials are weighted least squares; a term of
higher order is taken where the chi-square that it saves could not be chance: the likelihood-ratio test of nested
models (Wilks 1938), its level divided by the number of tests (Bonferroni).
"""

from __future__ import annotations

from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2 as chi2_distribution

from models.beads.field import Box, Field, Polynomial, powers, terms
from models.beads.task import Answer, Task
from models.fitting.retrieval import retrieve
from models.fitting.retrieved import Retrieved

Float64 = NDArray[np.float64]
MOST_BEADS, HIGHEST_ORDER, SPARE = 40, 3, 2
"""A polynomial needs so many beads more than terms."""
FEWEST_BEADS = len(powers(1)) + SPARE
FLAT = 0.1
"""Beads that leave a smaller singular value to the terms of an order lie too nearly on a line for it."""
LEVEL = 0.01
"""Probability that any coefficient is said to change although none does."""


def field(task: Task, answer: Answer) -> Field | None:
    """Return the aberrations over the field; None where there are fewer than `FEWEST_BEADS` beads.

    Covariances are widened by a bead's chi-square where that is above 1: what the model leaves out is no noise,
    and varies from bead to bead too (Birge, Phys. Rev. 40, 1932).
    """
    if len(task.stacks) < FEWEST_BEADS or len(task.places_um) != len(task.stacks):
        return None
    alone = each_alone(task, answer)
    shift = np.array([[one.beads[0].x_nm, one.beads[0].y_nm] for one in alone]) / 1000
    waves = np.array([[one.zernike_waves[j] for j in task.modes] for one in alone])
    covariances = np.array([one.covariance_waves2 * max(1.0, one.chi2) for one in alone])
    return field_of(np.array(task.places_um[: len(alone)]) + shift, task.modes, waves, covariances)


def each_alone(task: Task, answer: Answer) -> list[Retrieved]:
    """Fit the brightest beads one by one, from the pupil that all together gave."""
    spot, start = task.spot(answer.blur_nm), answer.found.zernike_waves
    beads = list(zip(task.stacks, task.variances, strict=True))[:MOST_BEADS]
    return [
        retrieve(
            spot, [stack], task.focus_nm, task.modes, start, [variance],
            places_nm=[known.place_nm] if known else None,
        )
        for (stack, variance), known in zip_longest(beads, answer.found.beads[: len(beads)])
    ]  # fmt: skip


def field_of(place_um: Float64, modes: tuple[int, ...], waves: Float64, covariances_waves2: Float64) -> Field:
    """Return polynomials through the coefficients of beads.

    Parameters
    ----------
    place_um : (beads, 2) float
        x and y.
    modes : tuple of int
        Noll indices.
    waves : (beads, modes) float
    covariances_waves2 : (beads, modes, modes) float
    """
    (left, top), (right, bottom) = place_um.min(0).tolist(), place_um.max(0).tolist()
    box = (left, top, right, bottom)
    sigma = np.sqrt(np.diagonal(covariances_waves2, axis1=1, axis2=2))
    orders = [order for order in range(HIGHEST_ORDER + 1) if _determined(place_um, box, order)]
    level = LEVEL / (len(modes) * max(len(orders) - 1, 1))
    polynomials = {
        j: _smooth(place_um, box, waves[:, k], sigma[:, k], orders, level) for k, j in enumerate(modes)
    }  # fmt: skip
    freedom = waves.size - len(modes)
    return Field(box, polynomials, len(waves), _against_constant(waves, covariances_waves2), freedom)


def _determined(place_um: Float64, box: Box, order: int) -> bool:
    """Return whether there are beads enough, and not all of them on one line."""
    design = terms(place_um, box, order)
    return order == 0 or (
        len(design) >= design.shape[1] + SPARE and bool(np.linalg.matrix_rank(design, tol=FLAT) == design.shape[1])
    )


def _smooth(place_um: Float64, box: Box, waves: Float64, sigma: Float64, orders: list[int], level: float) -> Polynomial:
    """Return the polynomial of the highest order that is better than the next lower one beyond chance."""
    fits = [_weighted(terms(place_um, box, order), waves, sigma) for order in orders]
    for k in range(len(orders) - 1, 0, -1):
        saved, more = fits[k - 1][2] - fits[k][2], len(fits[k][0]) - len(fits[k - 1][0])
        if chi2_distribution.sf(saved, more) < level:
            return Polynomial(orders[k], *fits[k][:2])
    return Polynomial(0, *fits[0][:2])


def _weighted(design: Float64, waves: Float64, sigma: Float64) -> tuple[Float64, Float64, float]:
    """Return coefficients, their covariance and chi-square of weighted least squares."""
    scaled = design / sigma[:, None]
    covariance = np.linalg.inv(scaled.T @ scaled)
    found = covariance @ (scaled.T @ (waves / sigma))
    return found, np.asarray(covariance, float), float(np.sum((waves / sigma - scaled @ found) ** 2))


def _against_constant(waves: Float64, covariances_waves2: Float64) -> float:
    """Return chi-square of all coefficients against the same everywhere, their correlations taken into account."""
    weights = np.linalg.pinv(covariances_waves2, hermitian=True)
    mean = np.linalg.solve(weights.sum(0), np.einsum("bij,bj->i", weights, waves))
    return float(np.einsum("bi,bij,bj->", waves - mean, weights, waves - mean))
