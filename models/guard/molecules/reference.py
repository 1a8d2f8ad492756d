"""What the measures are like where all is as in the training: from many simulated molecules, whose truth is known.

Their means depend on how bright, how deep and how crowded molecules are, and so does how much they scatter: bright
molecules show every small difference between samples. Polynomials take both out. What is left has a covariance; in
units of it the signature of each cause is how the means move when that cause is simulated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
FARTHEST = 4.0
"""Deviations beyond so many standard deviations count as so many: a neighbour that nobody saw is no mismatch."""
RIDGE = 1e-3
SMALLEST, OF_NORMAL = 1e-3, 0.635
"""Of a deviation whose logarithm is taken; minus the mean logarithm of a standard normal number's size."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Mean and covariance of the measures.

    Parameters
    ----------
    names : tuple of str
        Of the measures.
    low, high : (c,) float64
        Range of the conditions that it was made in; what lies beyond counts as its end.
    means : (terms, m) float64
        Polynomial of the conditions.
    spreads : (terms, m) float64
        Polynomial of the logarithm of the standard deviation of what is left.
    center : (m,) float64
        Mean of what is left, in these units, once it is clipped.
    covariance : (m, m) float64
        Of the same, from molecule to molecule.
    between : (m, m) float64
        How much of it all molecules of a scene have in common: what no number of them averages out.
    """

    names: tuple[str, ...]
    low: Float64
    high: Float64
    means: Float64
    spreads: Float64
    center: Float64
    covariance: Float64
    between: Float64

    def deviations(self, measures: Float64, conditions: Float64) -> Float64:
        """Return (n, m): what is left of the measures, about 0 with this covariance; 0 for what is not a number."""
        known = terms(conditions, self.low, self.high)
        left = (measures - known @ self.means) / np.exp(known @ self.spreads)
        return np.where(np.isfinite(left), np.clip(left, -FARTHEST, FARTHEST) - self.center, 0.0)


def terms(conditions: Float64, low: Float64, high: Float64) -> Float64:
    """Return the polynomial's terms (n, terms): of second degree in light, background and crowd, of fourth in z."""
    scaled = 2 * (np.clip(conditions, low, high) - low) / np.maximum(high - low, 1e-9) - 1
    light, background, z, crowd, multiplied = scaled.T
    one = np.ones_like(z)
    flat = [one, light, background, crowd, light**2, background**2, crowd**2, light * background, light * crowd,
            background * crowd]  # fmt: skip
    deep = [value * power for power in (one, z, z**2) for value in flat]
    return np.column_stack((*deep, z**3, z**4, light * z**3, light * z**4, multiplied, multiplied * light))


def reference(names: tuple[str, ...], scene: NDArray[np.int64], measures: Float64, conditions: Float64) -> Reference:
    """Return the reference of matched molecules.

    Parameters
    ----------
    names : tuple of str
    scene : (n,) int64
        Which scene each molecule is from: several hundred.
    measures : (n, m) float64
    conditions : (n, c) float64
    """
    low, high = np.quantile(conditions, (0.005, 0.995), axis=0)
    known = terms(conditions, low, high)
    normal = known.T @ known + RIDGE * np.eye(known.shape[1])
    means = np.asarray(np.linalg.solve(normal, known.T @ _tamed(measures)), np.float64)
    left = np.asarray(measures - known @ means, np.float64)
    size = np.log(np.maximum(np.abs(np.nan_to_num(left)), SMALLEST)) + OF_NORMAL
    spreads = np.asarray(np.linalg.solve(normal, known.T @ size), np.float64)
    clipped = np.clip(np.nan_to_num(left / np.exp(known @ spreads)), -FARTHEST, FARTHEST)
    center = clipped.mean(0)
    covariance = np.asarray(np.cov(clipped.T) + RIDGE * np.eye(len(center)), np.float64)
    return Reference(names, low, high, means, spreads, center, covariance, between(scene, clipped - center, covariance))


def _tamed(measures: Float64) -> Float64:
    """Return measures whose outliers are less far out."""
    known = [column[np.isfinite(column)] for column in measures.T]
    middle = np.array([np.median(column) if len(column) else 0.0 for column in known])
    spread = _spread(measures - middle)
    tamed: Float64 = np.clip(np.nan_to_num((measures - middle) / spread), -FARTHEST, FARTHEST) * spread + middle
    return tamed


def _spread(left: Float64) -> Float64:
    """Return robust standard deviations of columns about 0; 1 for one without any."""
    known = [np.abs(column[np.isfinite(column)]) for column in left.T]
    spread = np.array([1.4826 * np.median(column) if len(column) else 0.0 for column in known])
    return np.asarray(np.where(spread > 0, spread, 1.0), np.float64)


def between(scene: NDArray[np.int64], left: Float64, covariance: Float64) -> Float64:
    """Return the covariance (m, m) of scenes' means of (n, m) beyond what their few molecules make of it."""
    _, place, count = np.unique(scene, return_inverse=True, return_counts=True)
    sums = np.zeros((len(count), left.shape[1]))
    np.add.at(sums, place, left)
    weight = np.sqrt(count)[:, None]
    means = sums / count[:, None] * weight
    surplus = (means.T @ means - len(count) * covariance) / count.sum()
    values, vectors = np.linalg.eigh(surplus)
    found: Float64 = (vectors * np.maximum(values, 0)) @ vectors.T
    return found
