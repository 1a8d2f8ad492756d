"""How bright emitters are: photons in a whole frame, each emitter with its own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
SPREAD = 0.3
"""Standard deviation of the logarithm of a log-normal brightness."""


def log_normal(count: int, mean: float, rng: np.random.Generator) -> Float64:
    """Scatter around the mean as dyes in different surroundings do."""
    return mean * rng.lognormal(-(SPREAD**2) / 2, SPREAD, count)


def exponential(count: int, mean: float, rng: np.random.Generator) -> Float64:
    """Scatter as single-photon counts of short-lived emitters do."""
    return rng.exponential(mean, count)


def equal(count: int, mean: float, rng: np.random.Generator) -> Float64:
    """Give every emitter the same."""
    return np.full(count, float(mean))


BRIGHTNESS: dict[str, Callable[[int, float, np.random.Generator], Float64]] = {
    "log-normal": log_normal, "exponential": exponential, "equal": equal,
}  # fmt: skip
