"""How unlike the training a molecule is, whatever the cause: the size of all its deviations together.

Bright molecules on structured background scatter more than others, and in the square of the distance a few of them
weigh as much as a hundred. The logarithm has no such tail, and by conditions it is a measure like the rest.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.guard.molecules.reference import Reference, reference

Float64 = NDArray[np.float64]
LEAST = 1e-6
"""Of a squared distance whose logarithm is taken."""


def unlikeness(known: Reference, scene: NDArray[np.int64], deviations: Float64, conditions: Float64) -> Reference:
    """Return the reference of the distance of matched molecules; arguments as of `reference`."""
    return reference(("unlikeness",), scene, _logarithm(known, deviations), conditions)


def unlike(known: Reference, usual: Reference, deviations: Float64, conditions: Float64) -> Float64:
    """Return how far molecules lie from the training, (n,): about 0, in standard deviations of matched ones.

    Parameters
    ----------
    known : Reference
        Of the measures.
    usual : Reference
        As `unlikeness` returns it.
    deviations : (n, m) float64
    conditions : (n, c) float64
    """
    distance = usual.deviations(_logarithm(known, deviations), conditions)[:, 0]
    return np.asarray(distance / np.sqrt(usual.covariance[0, 0]), np.float64)


def _logarithm(known: Reference, deviations: Float64) -> Float64:
    """Return the logarithm of squared Mahalanobis distances, (n, 1)."""
    squared = np.einsum("nm,nm->n", deviations, np.linalg.solve(known.covariance, deviations.T).T)
    return np.asarray(np.log(np.maximum(squared, LEAST))[:, None], np.float64)
