"""Simulated crops of one molecule each, on a structured background that is known.

| step | in -> out | axes, unit |
|---|---|---|
| background | Perlin noise of two periods -> cut at random places | (b, y, x) photo-electrons |
| light | the spot near the middle, at times a second one -> | (b, y, x) photo-electrons |
| camera | -> counts with shot and read noise, over the excess noise factor | (b, y, x) |

The same (seed, step) gives the same crops. A crop has an even edge: its middle is the corner between four pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.sample_space import SampleSpace
from models.scenes.background import structured
from models.training_spots import TrainingSpots

Float64 = NDArray[np.float64]
TOGETHER = 8
"""Crops that are cut from one field of background."""
FIELD = 3
"""Edge of such a field, in edges of a crop."""


@dataclass(frozen=True, slots=True)
class Crops:
    """A batch of crops; counts are photo-electrons over the excess noise factor.

    Parameters
    ----------
    counts : (b, y, x) float32
    background : (b, y, x) float32
        What is expected without the molecule.
    light : (b, y, x) float32
        What is expected of the molecule.
    """

    counts: Tensor
    background: Tensor
    light: Tensor


class CropSimulator:
    """Draws crops.

    Parameters
    ----------
    spots : TrainingSpots
    space : SampleSpace
        As `background_space` gives it.
    batch, crop_px : int
    device : str
    """

    def __init__(self, spots: TrainingSpots, space: SampleSpace, batch: int, crop_px: int, device: str = "cpu") -> None:
        self.space, self._spots, self._batch, self._side, self._device = space, spots, batch, crop_px, device

    def draw(self, seed: int, step: int) -> Crops:
        """Return the crops of a step."""
        rng = np.random.default_rng((seed, step))
        settings = [self.space.sample(rng) for _ in range(self._batch)]
        column = {name: np.array([s[name] for s in settings]) for name in settings[0]}
        relative = np.concatenate([self._structure(s, rng) for s in settings[::TOGETHER]])[: self._batch]
        background = relative * column["background_e"][:, None, None]
        light, others = self._light(settings, column["photons"], rng)
        em = (rng.random(self._batch) < self.space.number("em_share"))[:, None, None]
        excess = np.where(em, 2.0, 1.0)
        noise = np.where(em, 0.0, column["read_noise_e"][:, None, None])
        generator = torch.Generator(self._device).manual_seed(int(rng.integers(2**62)))
        mean = self._to(background) + light + others
        counts = torch.poisson(mean / self._to(excess), generator=generator)  # of this variance, whatever the register
        counts += self._to(noise) * torch.randn(counts.shape, generator=generator, device=counts.device)
        return Crops(counts, self._to(background / excess), light / self._to(excess))

    def _structure(self, s: dict[str, float], rng: np.random.Generator) -> Float64:
        """Return some crops of a field whose mean is 1."""
        side, period = FIELD * self._side, s["background_period_px"]
        field = structured((side, side), 1.0, s["background_contrast"], (period, max(period / 2, 2.0)), rng)
        corner = rng.integers(0, side - self._side + 1, (TOGETHER, 2))
        return np.stack([field[y : y + self._side, x : x + self._side] for y, x in corner.tolist()]).astype(float)

    def _light(
        self, settings: list[dict[str, float]], photons: Float64, rng: np.random.Generator
    ) -> tuple[Tensor, Tensor]:
        """Return the light of the molecules, and of others somewhere in the crop; each (b, y, x)."""
        pixel, middle, b = self._spots.pixel_size_nm, self._side / 2, self._batch
        offset = self.space["offset_px"]
        own = middle + rng.uniform(offset.low, offset.high, (b, 2))
        second = rng.uniform(0, self._side, (b, 2))
        there = rng.random(b) < self.space.number("second_share")
        strength = photons * rng.uniform(0.2, 1.0, b) * there
        third = np.concatenate([self._spots.third(s, 2, rng)[None] for s in settings])
        parts = []
        for k, (place, bright) in enumerate(((own, photons), (second, strength))):
            position = self._to(np.column_stack((place * pixel, third[:, k])))
            frame, shape = torch.arange(b, device=self._device), (b, self._side, self._side)
            parts.append(torch.as_tensor(self._spots.light(position, self._to(bright), frame, shape, rng)).clamp(min=0))
        return parts[0], parts[1]

    def _to(self, values: NDArray[np.floating]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values, np.float32)).to(self._device)
