"""Simulated bleaching traces with a known number of steps: what networks for them learn from.

| step | in -> out | axes, unit |
|---|---|---|
| molecules | number of steps, all classes alike -> lives, dark states, brightness | (b, m) |
| light | + neighbour that leaks in, fluctuation -> expected | (b, t) photo-electrons |
| camera | + background -> photo-electrons, EM register or not, read noise | (b, t) |
| trace | background taken off, with an error | (b, t) photo-electrons |

A step is a fluorophore that bleaches within the trace; dark states and neighbours are none. The same (seed, step) gives
the same traces; those of one step have the same length.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from models.sample_space import SampleSpace
from models.scenes.bleaching import Fluorophores

Float64 = NDArray[np.float64]
BEYOND = 2
"""Molecules of the last class have up to so many steps more than the network tells apart."""
LASTING = 2
"""At most so many fluorophores outlast a trace."""
DARK_STATES = 12
"""Each fluorophore of a blinking molecule goes dark so many times at most; each molecule has a chance of its own."""
NEIGHBOUR = 3
"""Fluorophores of a neighbour, at most."""


@dataclass(frozen=True, slots=True)
class BleachingTraces:
    """A batch of traces.

    Parameters
    ----------
    intensity : (b, t) float32
        Photo-electrons.
    steps : (b,) int64
        Bleaching steps, at most `most_steps` of the sample space.
    """

    intensity: NDArray[np.float32]
    steps: NDArray[np.int64]


class TraceSimulator:
    """Draws traces.

    Parameters
    ----------
    space : SampleSpace
        As `models.bleaching.space.TRACES`.
    batch : int
    """

    def __init__(self, space: SampleSpace, batch: int) -> None:
        self.space, self.batch = space, batch

    def draw(self, seed: int, step: int) -> BleachingTraces:
        """Return the traces of a step."""
        rng = np.random.default_rng((seed, step))
        most, frames = int(self.space.number("most_steps")), round(self.space["frames"].sample(rng))
        drawn = [self.space.sample(rng) for _ in range(self.batch)]
        s = {name: np.array([one[name] for one in drawn]) for name in drawn[0]}
        steps = rng.integers(0, most + 1, self.batch)
        steps += np.where(steps == most, rng.integers(0, BEYOND + 1, self.batch), 0)
        own = self._molecules(steps, s, frames, rng).expected(frames)
        light = self._fluctuating(own + self._leaking(s, frames, rng), s, rng)
        return BleachingTraces(self._recorded(light, s, rng).astype(np.float32), np.minimum(steps, most))

    def _molecules(
        self, steps: NDArray[np.int64], s: dict[str, Float64], frames: int, rng: np.random.Generator
    ) -> Fluorophores:
        """Return molecules of which so many fluorophores bleach within the trace, and a few outlast it."""
        bleaching = np.arange(int(self.space.number("most_steps")) + BEYOND) < steps[:, None]
        lasting = np.arange(LASTING) < self._some("lasting_share", LASTING, rng)[:, None]
        there = np.concatenate((bleaching, lasting), axis=1)
        life = np.where(lasting, np.inf, 0.0)
        life = np.concatenate((np.where(bleaching, _lives(bleaching.shape, s, frames, rng), 0.0), life), axis=1)
        spread = s["brightness_spread"][:, None]
        brightness = s["photons"][:, None] * np.exp(spread * rng.standard_normal(there.shape) - spread**2 / 2)
        blinking = self._some("blinking_share", 1, rng) > 0
        return Fluorophores(there * brightness, life, _dark_states(life, blinking, s["dark_frames"], frames, rng))

    def _leaking(self, s: dict[str, Float64], frames: int, rng: np.random.Generator) -> Float64:
        """Return what neighbours add, (b, t)."""
        there = np.arange(NEIGHBOUR) < self._some("neighbour_share", NEIGHBOUR, rng)[:, None]
        life = np.where(there, _lives(there.shape, s, frames, rng), 0.0)
        brightness = (s["leak"] * s["photons"])[:, None] * there
        return Fluorophores(brightness, life, np.zeros((*there.shape, 0, 2))).expected(frames)

    def _some(self, share: str, most: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Return 1 to `most` in that share of the traces, else 0."""
        return np.where(rng.random(self.batch) < self.space.number(share), rng.integers(1, most + 1, self.batch), 0)

    def _fluctuating(self, light: Float64, s: dict[str, Float64], rng: np.random.Generator) -> Float64:
        """Let the light fluctuate, a first-order process; how long it remembers is common to the batch."""
        keep = float(np.exp(-1 / s["flicker_frames"][0]))
        noise = lfilter([np.sqrt(1 - keep**2)], [1, -keep], rng.standard_normal(light.shape), axis=1)
        return np.asarray(light * np.maximum(1 + s["flicker"][:, None] * noise, 0))

    def _recorded(self, light: Float64, s: dict[str, Float64], rng: np.random.Generator) -> Float64:
        """Return photo-electrons less a background that is not quite the true one; noise as `snr` asks for.

        With p photo-electrons of one fluorophore, background b, read noise r and excess noise factor F^2 (2 behind an
        EM register; Hirsch et al. 2013) snr^2 = p^2 / (F^2 (p + b) + r^2). Photons alone may be fewer than that takes:
        then there is no background, and the ratio is what photons leave.
        """
        em = rng.random(self.batch) < self.space.number("em_share")
        variance, excess = (s["photons"] / s["snr"]) ** 2, np.where(em, 2.0, 1.0)
        read = np.minimum(s["read_noise_e"], np.sqrt(variance / 2))
        background = np.maximum((variance - read**2) / excess - s["photons"], 0)
        electrons = rng.poisson(light + background[:, None]).astype(np.float64)
        electrons[em] = rng.standard_gamma(electrons[em])
        electrons += read[:, None] * rng.standard_normal(light.shape)
        return np.asarray(electrons - (background - s["background_error"] * s["photons"])[:, None])


def _lives(shape: tuple[int, ...], s: dict[str, Float64], frames: int, rng: np.random.Generator) -> Float64:
    """Return lives in frames: exponential, of those that end within the trace."""
    share = s["life_share"][:, None]
    within = -np.expm1(-1 / share)
    return np.asarray(-share * np.log1p(-within * rng.random(shape)) * frames)


def _dark_states(
    life: Float64, blinking: NDArray[np.bool_], mean: Float64, frames: int, rng: np.random.Generator
) -> Float64:
    """Return begin and end of dark states, (b, m, 12, 2) in frames; one that begins and ends at once is none."""
    shape = (*life.shape, DARK_STATES)
    begin = np.sort(rng.random(shape) * np.minimum(life, frames)[:, :, None], axis=2)
    happens = rng.random(shape) < (blinking * rng.random(len(life)))[:, None, None]
    end = begin + np.where(happens, rng.exponential(mean[:, None, None], shape), 0.0)
    end[:, :, :-1] = np.minimum(end[:, :, :-1], begin[:, :, 1:])
    return np.stack((begin, end), axis=3)
