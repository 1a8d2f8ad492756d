"""When emitters shine: a continuous-time chain of on, off and bleached, integrated over each exposure.

Times are in frames and need not be whole: an emitter that switches within an exposure gives a part of its photons.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Kinetics:
    """Mean times of exponential laws.

    Parameters
    ----------
    on_frames, off_frames : float
        Mean time that an emitter is on at a stretch, and off.
    bleach_frames : float
        Mean time that it is on altogether before it bleaches; infinite for never.
    activation : float
        How much more often emitters switch on at frame `activation_frames` than at frame 0; linear between, and steady
        afterwards. 1 for a steady density.
    activation_frames : float

    Raises
    ------
    ValueError
        A time that is not positive, or bleaching before the first on-time has ended.
    """

    on_frames: float
    off_frames: float
    bleach_frames: float = inf
    activation: float = 1.0
    activation_frames: float = 1000.0

    def __post_init__(self) -> None:
        for name in ("on_frames", "off_frames", "bleach_frames", "activation", "activation_frames"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} = {getattr(self, name)}: must be above 0")
        if self.bleach_frames < self.on_frames:
            raise ValueError(
                f"bleach_frames = {self.bleach_frames:g} is shorter than on_frames = {self.on_frames:g}: an emitter "
                "is on for at least one stretch; lower on_frames"
            )

    @property
    def duty_cycle(self) -> float:
        """Share of time that an emitter is on at the start of a long steady run, without bleaching."""
        return self.on_frames / (self.on_frames + self.off_frames)

    def speed(self, frame: Float64) -> Float64:
        """Return how often emitters switch on at a time, relative to frame 0."""
        return 1 + (self.activation - 1) * np.clip(frame / self.activation_frames, 0, 1)


class Blinking:
    """The chain of many emitters; starts in its steady state.

    Parameters
    ----------
    count : int
    kinetics : Kinetics
    rng : numpy.random.Generator
    """

    def __init__(self, count: int, kinetics: Kinetics, rng: np.random.Generator) -> None:
        self._kinetics, self._rng, self._time, self._power = kinetics, rng, 0.0, 1.0
        self._on = rng.random(count) < kinetics.duty_cycle
        means = np.where(self._on, kinetics.on_frames, kinetics.off_frames)
        self._switch = rng.exponential(means)

    @property
    def bleached(self) -> int:
        """Number of emitters that never shine again."""
        return int(np.isinf(self._switch).sum())

    def activate(self, power: float) -> None:
        """Let emitters switch on `power` times as often as the kinetics say, from now on; those on stay on.

        What is left of an off-time is scaled: an exponential law does not remember how long it has lasted.

        Raises
        ------
        ValueError
            A power that is not above 0.
        """
        if not 0 < power < inf:
            raise ValueError(f"power = {power}: must be above 0 and finite")
        left = self._switch - self._time
        self._switch = np.where(self._on, self._switch, self._time + left * (self._power / power))
        self._power = power

    def expose(self) -> Float64:
        """Advance by one frame; return the share of it that each emitter was on, (n,)."""
        end, share = self._time + 1, np.zeros(len(self._on))
        since = np.full(len(self._on), self._time)
        while (due := np.flatnonzero(self._switch < end)).size:
            share[due] += (self._switch[due] - since[due]) * self._on[due]
            since[due] = self._switch[due]
            self._turn(due)
        self._time = end
        return share + (end - since) * self._on

    def _turn(self, due: NDArray[np.int64]) -> None:
        """Switch emitters over at their time, and draw when they switch next."""
        k, rng = self._kinetics, self._rng
        self._on[due] ^= True
        off_frames = k.off_frames / (k.speed(self._switch[due]) * self._power)
        stay = rng.exponential(np.where(self._on[due], k.on_frames, off_frames))
        if k.bleach_frames < inf:
            gone = ~self._on[due] & (rng.random(len(due)) < k.on_frames / k.bleach_frames)
            stay = np.where(gone, inf, stay)
        self._switch[due] += stay
