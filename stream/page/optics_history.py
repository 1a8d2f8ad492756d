"""How the pupil went since the start of the run, in so few samples that a night of them is sent at once."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

MOST = 480
"""Samples kept: about one for each pixel of the plot, 100 kB of JSON."""


class Sample(NamedTuple):
    """An estimate, when it came (monotonic, s), and its coefficients in waves, Noll 2 to 28."""

    at_s: float
    waves: list[float]


class OpticsHistory:
    """Estimates of the pupil, evenly thinned: where there are too many, every other one is forgotten."""

    def __init__(self) -> None:
        self._samples: list[Sample] = []
        self._step, self._count = 1, 0

    def add(self, waves: NDArray[np.generic], now_s: float) -> None:
        """Take an estimate, (27,) waves; the newest is always kept, until the next one comes."""
        if (self._count - 1) % self._step and self._samples:
            self._samples.pop()
        self._samples.append(Sample(now_s, np.round(np.asarray(waves, np.float64), 4).tolist()))
        self._count += 1
        if len(self._samples) > MOST:
            self._samples, self._step = self._samples[::2], 2 * self._step

    def samples(self, now_s: float) -> list[dict[str, Any]]:
        """Return `age_s` and `waves` of each, the oldest first."""
        return [{"age_s": now_s - at_s, "waves": waves} for at_s, waves in self._samples]
