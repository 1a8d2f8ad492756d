"""Simulated crops with one emitter on structured background: what networks for the background learn from.

| step | in -> out | axes, unit |
|---|---|---|
| emitter | near the centre, as a detector leaves it -> share of its light | (b, y, x) photo-electrons |
| neighbour | in a share of the crops a second one, anywhere in or beside them | (b, y, x) photo-electrons |
| background | Perlin noise of two periods on a level | (b, y, x) photo-electrons |
| camera | -> photo-electrons over F^2, of variance their mean + that of the read noise | (b, y, x) |

The same (seed, step) gives the same crops.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.sample_space import SampleSpace
from models.scenes.background import structured
from models.training_cameras import Cameras
from models.training_spots import TrainingSpots

PERIODS = 2
"""Spatial periods that a background is made of."""
FINEST_PX = 2.0
"""Perlin noise has no shorter period."""
BESIDE_PX = 3.0
"""So far beyond the crop a neighbour may lie."""
Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Crops:
    """A batch of crops; counts are photo-electrons over the excess noise factor F^2.

    Parameters
    ----------
    counts : (b, y, x) float32
    variance : (b, y, x) float32
        Of the read noise.
    background : (b, y, x) float32
        Expected counts that are of no emitter.
    light : (b, y, x) float32
        Expected counts of the emitter in the middle.
    """

    counts: Tensor
    variance: Tensor
    background: Tensor
    light: Tensor


class CropSimulator:
    """Draws crops.

    Parameters
    ----------
    spots : TrainingSpots
    space : SampleSpace
        As `models.backgrounds.space.background_space`.
    batch, crop_px : int
    device : str
    """

    def __init__(self, spots: TrainingSpots, space: SampleSpace, batch: int, crop_px: int, device: str = "cpu") -> None:
        self.spots, self.space, self.batch, self.crop_px, self.device = spots, space, batch, crop_px, device

    def draw(self, seed: int, step: int) -> Crops:
        """Return the batch of a step."""
        rng = np.random.default_rng((seed, step))
        settings = [self.space.sample(rng) for _ in range(self.batch)]
        light, neighbours = self._emitters(settings, rng)
        level = self._to(np.stack([self._background(s, rng) for s in settings]))
        cameras = Cameras.draw(self.space, settings, self.crop_px, rng)
        generator = torch.Generator(self.device).manual_seed(int(rng.integers(2**62)))
        counts = cameras.expose((light + neighbours + level)[:, None], generator)[:, 0]
        excess = self._to(cameras.excess[:, 0])
        return Crops(counts, self._to(cameras.variance[:, 0]), level / excess, light / excess)

    def _emitters(self, settings: list[dict[str, float]], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Return the expected photo-electrons of the emitters in the middle and of those beside, (b, y, x) each."""
        b, side, pixel = self.batch, self.crop_px, self.spots.pixel_size_nm
        offset = self.space["offset_px"]
        middle = side / 2 + rng.uniform(offset.low, offset.high, (b, 2))
        beside = rng.uniform(-BESIDE_PX, side + BESIDE_PX, (b, 2))
        third = np.stack([self.spots.third(s, 2, rng) for s in settings])
        others = rng.random(b) < self.space.number("neighbour_share")
        brightness = np.array([self.space["photons"].sample(rng) for _ in settings])
        photons = np.concatenate(([s["photons"] for s in settings], np.where(others, brightness, 0)))
        position = np.column_stack((np.concatenate((middle, beside)) * pixel, third.T.ravel()))
        shape, frame = (2 * b, side, side), torch.arange(2 * b, device=self.device)
        light = self.spots.light(self._to(position), self._to(photons), frame, shape, rng)
        own, near = torch.reshape(light, (2, b, side, side)).clamp(min=0).unbind(0)
        return own, near

    def _background(self, s: dict[str, float], rng: np.random.Generator) -> Float64:
        periods_nm = [self.space["background_period_nm"].sample(rng) for _ in range(PERIODS)]
        periods = tuple(max(nm / s["pixel_size_nm"], FINEST_PX) for nm in periods_nm)
        shape = (self.crop_px, self.crop_px)
        return np.asarray(structured(shape, s["background_e"], s["background_contrast"], periods, rng), np.float64)

    def _to(self, values: NDArray[np.floating]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values, np.float32)).to(self.device)
