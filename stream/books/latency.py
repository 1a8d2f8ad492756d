"""Latency of frames in constant memory: a histogram with bins of equal ratio."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LOWEST_MS = 0.01
BINS_PER_DECADE = 100
DECADES = 10


class Latencies:
    """Counts latencies; percentiles are exact to 2.4 % (one bin), the maximum is exact."""

    def __init__(self) -> None:
        self._counts = np.zeros(BINS_PER_DECADE * DECADES, np.int64)
        self._max_ms = 0.0

    def add(self, latency_ms: NDArray[np.float64]) -> None:
        """Count latencies (n,) in ms; nan (unknown arrival) is left out."""
        known = latency_ms[np.isfinite(latency_ms)]
        if not known.size:
            return
        position = np.log10(np.maximum(known, LOWEST_MS) / LOWEST_MS) * BINS_PER_DECADE
        bins = np.minimum(position.astype(np.int64), len(self._counts) - 1)
        self._counts += np.bincount(bins, minlength=len(self._counts))
        self._max_ms = max(self._max_ms, float(known.max()))

    def summary(self) -> dict[str, float]:
        """Return `p50`, `p99` and `max` in ms; empty if nothing was counted."""
        total = self._counts.sum()
        if not total:
            return {}
        below = np.cumsum(self._counts)
        edges = LOWEST_MS * 10 ** ((np.searchsorted(below, (0.5 * total, 0.99 * total)) + 1) / BINS_PER_DECADE)
        p50, p99 = np.minimum(edges, self._max_ms)
        return {"p50": round(float(p50), 3), "p99": round(float(p99), 3), "max": round(self._max_ms, 3)}
