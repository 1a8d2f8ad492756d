"""Intensity traces of molecules that carry several fluorophores, which bleach one after the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_SUBUNITS = 6
Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fluorophores:
    """When the fluorophores of n molecules shine; m of them each, those that are not there have no brightness.

    Parameters
    ----------
    brightness : (n, m) float
        Photo-electrons in a frame in which one shines all the time.
    life : (n, m) float
        Frames from the start until it bleaches; infinite for one that outlasts the trace.
    dark : (n, m, k, 2) float
        Begin and end of its dark states in frames, in order, without overlap; k may be 0.
    """

    brightness: Float64
    life: Float64
    dark: Float64

    def expected(self, frames: int) -> Float64:
        """Return the photo-electrons (n, t) that are expected in each frame; parts of frames count as such."""
        molecules, each = self.life.shape
        row = np.repeat(np.arange(molecules), each)
        edges = [(np.zeros(self.life.size), self.brightness.ravel()), (self.life.ravel(), -self.brightness.ravel())]
        for begin, end in np.moveaxis(np.minimum(self.dark, self.life[:, :, None, None]), (2, 3), (0, 1)):
            edges += [(begin.ravel(), -self.brightness.ravel()), (end.ravel(), self.brightness.ravel())]
        return _levels(molecules, frames, [(row, time, height) for time, height in edges])


def _levels(n: int, frames: int, edges: list[tuple[NDArray[np.int64], Float64, Float64]]) -> Float64:
    """Return the mean in each frame (n, t) of sums of edges: row, time in frames, height, (k,) each.

    An edge within a frame changes it by the share of the frame that is left, and all that follow by its height: two
    impulses, and a running sum.
    """
    impulses = np.zeros((n, frames + 2))
    for row, time, height in edges:
        frame = np.minimum(time, frames).astype(np.int64)
        into = np.minimum(time, frames) - frame
        np.add.at(impulses, (row, frame), height * (1 - into))
        np.add.at(impulses, (row, frame + 1), height * into)
    return np.maximum(np.cumsum(impulses, axis=1)[:, :frames], 0)  # rounding leaves less than nothing


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
    steps: Float64


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


def fluorophores(subunits: NDArray[np.int64], settings: TraceSettings, rng: np.random.Generator) -> Fluorophores:
    """Return molecules with the given numbers of fluorophores (n,), 0 to 6, that never go dark before they bleach.

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
    return Fluorophores(brightness, life, np.zeros((*shape, 0, 2)))


def traces(subunits: NDArray[np.int64], settings: TraceSettings, rng: np.random.Generator) -> Traces:
    """Return traces of molecules with the given numbers of fluorophores (n,), as `fluorophores`."""
    made = fluorophores(subunits, settings, rng)
    mean = made.expected(settings.frames) + settings.background
    intensity = rng.poisson(mean) + rng.normal(0, settings.read_noise_e, mean.shape) - settings.background
    steps = np.sort(np.where((made.life > 0) & (made.life < settings.frames), made.life, np.inf), axis=1)
    return Traces(intensity.astype(np.float32), subunits, steps)
