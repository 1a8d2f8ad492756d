"""Training samples for any spot, made where the network is: three frames, known emitters, another camera each.

| step | in -> out | axes, unit |
|---|---|---|
| settings | sample space -> density, photons, background, on-time, camera of each sample | (b,) |
| emitters | on at time 0 (they live on: memoryless) or starting evenly -> position, photons | (n, 3), (3, n) |
| light | spots -> expected photo-electrons | (b, 3, y, x) |
| camera | -> photo-electrons over F^2, of variance their mean + that of the read noise | (b, 3, y, x) |

The same (seed, step) gives the same sample: a run that was resumed sees the data that an uninterrupted one sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.sample_space import SampleSpace
from models.scenes.background import structured
from models.training_cameras import Cameras
from models.training_spots import TrainingSpots

FRAMES = 3
LOST_NEIGHBOUR = 0.04
"""How often a neighbour is missing, as at the ends of a run and beside a gap: the middle frame stands in for it."""
LEAST_SHARE = 0.5
"""Emitters with less than this part of the lowest photons are no targets: nobody could find them."""
Float64 = NDArray[np.float64]
Float32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Samples:
    """A batch of training samples; counts are photo-electrons over the excess noise factor F^2.

    Parameters
    ----------
    counts : (b, 3, y, x) float32
    variance : (b, y, x) float32
        Of the read noise.
    background : (b, y, x) float32
    sample : (n,) int64
        Sample of each emitter of the middle frame that lies inside.
    position : (n, d) float32
        x, y from the outer corner of the patch in pixels; z in units of half its range, from the middle.
    emitter_counts : (n,) float32
    emitter : (n,) int64
        Which of those that were drawn.
    """

    counts: Tensor
    variance: Tensor
    background: Tensor
    sample: Tensor
    position: Tensor
    emitter_counts: Tensor
    emitter: Tensor


@dataclass(frozen=True, slots=True)
class Scenes:
    """What the samples of a step will show, before there is any light.

    Parameters
    ----------
    who : (n,) int64
        Sample of each emitter; some lie beside it.
    position_nm : (n, 3) float64
        x and y from the outer corner of the patch, and the third coordinate of its spot.
    photons : (3, n) float64
        In each frame.
    level : (b, y, x) float64
        Background in photo-electrons.
    cameras : Cameras
    noise_seed : int
    rng : numpy.random.Generator
        For what is drawn after this.
    """

    who: NDArray[np.int64]
    position_nm: Float64
    photons: Float64
    level: Float64
    cameras: Cameras
    noise_seed: int
    rng: np.random.Generator


class Simulator:
    """Draws samples.

    Parameters
    ----------
    spots : TrainingSpots
    space : SampleSpace
        Fields pixel_size_nm, photons, background_e, background_contrast, density_per_um2, on_time_frames, read_noise_e,
        those of the spots, and the numbers empty_share, em_share, hot_share.
    batch, patch_px : int
    device : str
    """

    def __init__(
        self, spots: TrainingSpots, space: SampleSpace, batch: int, patch_px: int, device: str = "cpu"
    ) -> None:
        self.spots, self.space, self.batch, self.patch_px, self.device = spots, space, batch, patch_px, device

    def draw(self, seed: int, step: int) -> Samples:
        """Return the batch of a step."""
        scenes = self.scenes(seed, step)
        return self.exposed(scenes, self.light(scenes, self.spots))

    def scenes(self, seed: int, step: int) -> Scenes:
        """Return what the batch of a step shows."""
        rng = np.random.default_rng((seed, step))
        settings = [self.space.sample(rng) for _ in range(self.batch)]
        who, position, photons = self._emitters(settings, rng)
        level = np.stack([self._background(s, rng) for s in settings])
        cameras = Cameras.draw(self.space, settings, self.patch_px, rng)
        return Scenes(who, position, photons, level, cameras, int(rng.integers(2**62)), rng)

    def light(self, scenes: Scenes, spots: TrainingSpots, frames: Sequence[int] = range(FRAMES)) -> Tensor:
        """Return the expected photo-electrons of the emitters, (b, 3, y, x); none in frames that are not asked for."""
        frame, emitter = np.nonzero((scenes.photons > 0) & np.isin(np.arange(FRAMES), frames)[:, None])
        shape = (self.batch * FRAMES, self.patch_px, self.patch_px)
        index = torch.from_numpy(scenes.who[emitter] * FRAMES + frame).to(self.device)
        position, photons = self._to(scenes.position_nm[emitter]), self._to(scenes.photons[frame, emitter])
        light = spots.light(position, photons, index, shape, scenes.rng)
        return torch.reshape(light, (self.batch, FRAMES, self.patch_px, self.patch_px)).clamp(min=0)

    def exposed(self, scenes: Scenes, light: Tensor) -> Samples:
        """Return the samples that cameras take of light (b, 3, y, x), which counts follow by their derivatives."""
        who, position, photons, level, cameras = (
            scenes.who, scenes.position_nm, scenes.photons, scenes.level, scenes.cameras,
        )  # fmt: skip
        generator = torch.Generator(self.device).manual_seed(scenes.noise_seed)
        counts = cameras.expose(light + self._to(level)[:, None], generator)
        for neighbour in (0, 2):
            lost = torch.from_numpy(scenes.rng.random(self.batch) < LOST_NEIGHBOUR).to(self.device)
            counts[lost, neighbour] = counts[lost, 1]
        excess = cameras.excess[:, 0]
        scaled = self._scaled(position)
        inside = self._targets(scaled, photons)
        variance = np.broadcast_to(cameras.variance[:, 0], level.shape)
        return Samples(
            counts, self._to(variance), self._to(level / excess),
            torch.from_numpy(who[inside]).to(self.device), self._to(scaled[inside]),
            self._to(photons[1, inside] / excess[who[inside], 0, 0]),
            torch.from_numpy(np.flatnonzero(inside)).to(self.device),
        )  # fmt: skip

    def _emitters(
        self, settings: list[dict[str, float]], rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], Float64, Float64]:
        """Return sample (n,), position (n, 3) nm and photons in each frame (3, n)."""
        pixel, margin_px = self.spots.pixel_size_nm, self.spots.size_px // 2
        low, high, parts = -margin_px * pixel, (self.patch_px + margin_px) * pixel, []
        empty = rng.random(len(settings)) < self.space.number("empty_share")
        for number, s in enumerate(settings):
            density = 0.0 if empty[number] else s["density_per_um2"]
            alive = density * ((self.patch_px + 2 * margin_px) * s["pixel_size_nm"] / 1000) ** 2
            old, new = rng.poisson(alive), rng.poisson(alive * FRAMES / s["on_time_frames"])
            start = np.concatenate((np.zeros(old), rng.uniform(0, FRAMES, new)))
            end = start + rng.exponential(s["on_time_frames"], old + new)
            k = np.arange(FRAMES)[:, None]
            share = np.clip(np.minimum(end, k + 1) - np.maximum(start, k), 0, 1)
            flux = s["photons"] * rng.lognormal(0, rng.uniform(0.05, 0.6), old + new)
            flux = np.clip(flux, 0.5 * self.space["photons"].low, self.space["photons"].high)
            xy = rng.uniform(low, high, (old + new, 2))
            third = self.spots.third(s, old + new, rng)
            parts.append((np.full(old + new, number), np.column_stack((xy, third)), share * flux))
        who, position, photons = zip(*parts, strict=True)
        return np.concatenate(who), np.concatenate(position), np.concatenate(photons, axis=1)

    def _background(self, s: dict[str, float], rng: np.random.Generator) -> Float64:
        shape = (self.patch_px, self.patch_px)
        periods = tuple(np.exp(rng.uniform(np.log(8), np.log(200), 2)))
        return np.asarray(structured(shape, s["background_e"], s["background_contrast"], periods, rng), np.float64)

    def _targets(self, scaled: Float32, photons: Float64) -> NDArray[np.bool_]:
        inside = ((scaled[:, :2] >= 0) & (scaled[:, :2] < self.patch_px)).all(1)
        return np.asarray(inside & (photons[1] > LEAST_SHARE * self.space["photons"].low))

    def _scaled(self, position: Float64) -> Float32:
        """Turn nm into what the network says: pixels, and z from -1 to 1; rounded before it is asked what is inside."""
        pixel, d = self.spots.pixel_size_nm, self.spots.dimensions
        middle, half = self.space.scale("z_nm") if d == 3 else (0.0, 1.0)
        return ((position - [0, 0, middle]) / [pixel, pixel, half])[:, :d].astype(np.float32)

    def _to(self, values: NDArray[np.floating]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values, np.float32)).to(self.device)
