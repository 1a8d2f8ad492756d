"""What is known of each trace, and of all together: steps with their probabilities, size of a step, noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.bleaching.decoding import counts, population

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
END = 0.1
"""Share of a trace that is its end."""
BEGIN = 3
"""Samples that are its begin."""
LIT_SIGMAS, LIT_STEPS = 3.0, 0.5
"""A spot shines at the end if its mean there is so many of its standard deviations, and of its steps, above nothing."""
EXAMPLES, POINTS = 6, 200
"""Traces in a message, and points of each, at most."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What traces came to.

    Parameters
    ----------
    probability : (n, classes) float
        Of each number of steps.
    steps : (n,) int64
        The most probable number.
    sure : (n,) float
        Its probability.
    step_e : (n,) float
        Photo-electrons per frame that a step takes away, on average; nan where there is none.
    snr : (n,) float
        A step over the noise of a sample at the end; nan where there is no step.
    lit : (n,) bool
        Light is left at the end: there may be more steps to come.
    """

    probability: Float64
    steps: NDArray[np.int64]
    sure: Float64
    step_e: Float64
    snr: Float64
    lit: NDArray[np.bool_]

    @classmethod
    def of(cls, probability: NDArray[np.floating], light_e: Float32, sigma_e: Float32) -> Counted:
        """Count; light and its standard deviation (n, samples)."""
        steps, sure = counts(probability)
        part = max(int(END * light_e.shape[1]), 1)
        begin, end = light_e[:, :BEGIN].mean(1), light_e[:, -part:].mean(1)
        noise = np.sqrt(np.square(sigma_e[:, -part:]).mean(1))
        step = np.where(steps > 0, (begin - end) / np.maximum(steps, 1), np.nan)
        lit = (end > LIT_SIGMAS * noise / np.sqrt(part)) & ~(end < LIT_STEPS * step)
        return cls(np.asarray(probability, float), steps, sure, step, step / noise, lit)

    def facts(self) -> dict[str, Any]:
        """Return how many traces have each number of steps, and the shares that the molecules probably have."""
        classes = self.probability.shape[1]
        known = np.isfinite(self.snr)
        return {
            "counted": np.bincount(self.steps, minlength=classes).tolist(),
            "population": np.round(population(self.probability), 4).tolist(),
            "lit": int(self.lit.sum()),
            "median_snr": round(float(np.median(self.snr[known])), 3) if known.any() else None,
            "median_step_e": round(float(np.median(self.step_e[known])), 2) if known.any() else None,
        }


def examples(counted: Counted, position_nm: Float64, light_e: Float32, frame: Float64) -> list[dict[str, Any]]:
    """Return some traces to look at: spots evenly over all brightnesses, always the same ones."""
    chosen = np.unique(np.linspace(0, len(position_nm) - 1, min(EXAMPLES, len(position_nm))).astype(int))
    every = -(-light_e.shape[1] // POINTS)
    return [
        {
            "x_nm": round(float(position_nm[k, 0]), 1), "y_nm": round(float(position_nm[k, 1]), 1),
            "steps": int(counted.steps[k]), "probability": round(float(counted.sure[k]), 3),
            "frame": np.round(frame[::every], 1).tolist(),
            "light_e": np.round(light_e[k, ::every].astype(float), 1).tolist(),
        }
        for k in chosen.tolist()
    ]  # fmt: skip
