"""Smoothing of a curve by local parabolas (loess; Cleveland, J. Am. Stat. Assoc. 74, 829-836, 1979)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float64Array = NDArray[np.float64]


def loess(values: Float64Array, span: int) -> Float64Array:
    """Return for each point what a parabola through the `span` points nearest to it says there.

    Parameters
    ----------
    values : (n,) float64
        At equal distances.
    span : int
        Odd, at least 5 and at most n. Weights are tricube, (1 - |d|^3)^3, of the distance over the largest one.
    """
    n, half = len(values), span // 2
    smooth = np.convolve(values, _weights(span, half)[::-1], "same")
    for k in range(half):  # near the ends the nearest points lie to one side
        smooth[k] = _weights(span, k) @ values[:span]
        smooth[n - 1 - k] = _weights(span, span - 1 - k) @ values[n - span :]
    return smooth


def _weights(span: int, at: int) -> Float64Array:
    """Return how much each of `span` points counts in the parabola's value at point `at`, (span,)."""
    distance = np.arange(span, dtype=np.float64) - at
    tricube = (1 - np.abs(distance / np.abs(distance).max()) ** 3) ** 3
    powers = distance[:, None] ** np.arange(3)
    normal = powers.T @ (tricube[:, None] * powers)
    weights: Float64Array = np.linalg.solve(normal, (tricube[:, None] * powers).T)[0]
    return weights
