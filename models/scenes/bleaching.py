"""Intensity traces of molecules that carry several fluorophores, which bleach one after the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_SUBUNITS = 6


@dataclass(frozen=True, slots=True)
class Traces:
    """Traces and their truth.

    Parameters
    ----------
    intensity : (n, t) float32
        Photo-electrons in each frame, background taken off: its noise is left.
    subunits : (n,) int
        Fluorophores at the start.
    steps : (n, 6) float
        Time of each bleaching step in frames, in order; infinite for those that did not happen within the trace.
    """

    intensity: NDArray[np.float32]
    subunits: NDArray[np.int64]
    steps: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TraceSettings:
    """What the traces look like.

    Parameters
    ----------
    frames : int
    photons : float
        Of one fluorophore in a frame.
    spread : float
        Standard deviation of the logarithm of the fluorophores' brightness.
    bleach_frames : float
        Mean life.
    background : float
        Photo-electrons under the molecule in a frame.
    read_noise_e : float
        Of the sum over its pixels.
    """

    frames: int = 1000
    photons: float = 500.0
    spread: float = 0.1
    bleach_frames: float = 250.0
    background: float = 300.0
    read_noise_e: float = 10.0


def traces(subunits: NDArray[np.int64], settings: TraceSettings, rng: np.random.Generator) -> Traces:
    """Return traces of molecules with the given numbers of fluorophores (n,), 0 to 6.

    Raises
    ------
    ValueError
        A number outside 0 to 6.
    """
    if subunits.size and (subunits.min() < 0 or subunits.max() > MOST_SUBUNITS):
        raise ValueError(f"subunits from {subunits.min()} to {subunits.max()}: must be from 0 to {MOST_SUBUNITS}")
    s, shape = settings, (len(subunits), MOST_SUBUNITS)
    there = np.arange(MOST_SUBUNITS) < subunits[:, None]
    life = np.where(there, rng.exponential(s.bleach_frames, shape), 0.0)
    brightness = s.photons * rng.lognormal(-(s.spread**2) / 2, s.spread, shape)
    shares = np.clip(life[:, :, None] - np.arange(s.frames), 0, 1)  # of each frame that each fluorophore lives
    mean = (shares * brightness[:, :, None]).sum(1) + s.background
    intensity = rng.poisson(mean) + rng.normal(0, s.read_noise_e, mean.shape) - s.background
    steps = np.sort(np.where(there & (life < s.frames), life, np.inf), axis=1)
    return Traces(intensity.astype(np.float32), subunits, steps)
