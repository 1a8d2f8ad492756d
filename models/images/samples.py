"""Single frames with known molecules: what a network that draws an image learns from.

| step | in -> out | axes, unit |
|---|---|---|
| places | anywhere, or along smooth curves -> positions | (n, 3) nm |
| on-times | on when the frame begins (they live on: memoryless) or starting evenly in it -> photons | (n,) |
| light | spots -> expected photo-electrons | (b, y, x) |
| camera | -> photo-electrons over F^2, of variance their mean + that of the read noise | (b, y, x) |
| spikes | molecules that could be seen, on the finer grid | (b, 8 y, 8 x) molecules |

The same (seed, step) gives the same samples. Positions anywhere are those of Deep-STORM (Nehme et al. 2018), which
wants no knowledge of structures; along curves as many molecules are locally ten times denser, as in stained tubules.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.images.space import UPSAMPLING
from models.sample_space import SampleSpace
from models.scenes.background import structured
from models.scenes.structures import Field, filaments
from models.simulation import LEAST_SHARE
from models.training_cameras import Cameras
from models.training_spots import TrainingSpots

Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pictures:
    """A batch of frames; counts are photo-electrons over the excess noise factor F^2.

    Parameters
    ----------
    counts : (b, y, x) float32
    variance : (b, y, x) float32
        Of the read noise.
    spikes : (b, 8 y, 8 x) float32
        Molecules in each super-resolved pixel.
    """

    counts: Tensor
    variance: Tensor
    spikes: Tensor


class PictureSimulator:
    """Draws frames.

    Parameters
    ----------
    spots : TrainingSpots
    space : SampleSpace
        As `models.images.space.image_space`.
    batch, patch_px : int
    device : str
    """

    def __init__(
        self, spots: TrainingSpots, space: SampleSpace, batch: int, patch_px: int, device: str = "cpu"
    ) -> None:
        self.spots, self.space, self.batch, self.patch_px, self.device = spots, space, batch, patch_px, device

    def draw(self, seed: int, step: int) -> Pictures:
        """Return the batch of a step."""
        rng = np.random.default_rng((seed, step))
        settings = [self.space.sample(rng) for _ in range(self.batch)]
        who, position, photons = self._molecules(settings, rng)
        level = np.stack([self._background(s, rng) for s in settings])
        cameras = Cameras.draw(self.space, settings, self.patch_px, rng)
        generator = torch.Generator(self.device).manual_seed(int(rng.integers(2**62)))
        frames, shape = torch.from_numpy(who).to(self.device), (self.batch, self.patch_px, self.patch_px)
        light = torch.reshape(self.spots.light(self._to(position), self._to(photons), frames, shape, rng), shape)
        counts = cameras.expose((light.clamp(min=0) + self._to(level))[:, None], generator)[:, 0]
        return Pictures(counts, self._to(cameras.variance[:, 0]), self._spikes(who, position, photons))

    def _molecules(
        self, settings: list[dict[str, float]], rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], Float64, Float64]:
        """Return sample (n,), position (n, 3) nm and photons (n,) in the frame; some lie beside the patch."""
        margin_px, parts = self.spots.size_px // 2, []
        side_px = self.patch_px + 2 * margin_px
        for number, s in enumerate(settings):
            density = 0.0 if rng.random() < self.space.number("empty_share") else s["density_per_um2"]
            shares = _shares(density * (side_px * s["pixel_size_nm"] / 1000) ** 2, s["on_time_frames"], rng)
            flux = s["photons"] * rng.lognormal(0, rng.uniform(0.05, 0.6), len(shares))
            flux = np.clip(flux, 0.5 * self.space["photons"].low, self.space["photons"].high)
            xy = self._places(len(shares), side_px, rng) - margin_px * self.spots.pixel_size_nm
            third = self.spots.third(s, len(shares), rng)
            parts.append((np.full(len(shares), number), np.column_stack((xy, third)), shares * flux))
        who, position, photons = zip(*parts, strict=True)
        return np.concatenate(who), np.concatenate(position), np.concatenate(photons)

    def _places(self, count: int, side_px: int, rng: np.random.Generator) -> Float64:
        """Return x and y, (count, 2) nm from 0 to the side of the patch with its margin."""
        side_nm = side_px * self.spots.pixel_size_nm
        if count and rng.random() < self.space.number("along_share"):
            return filaments(count, Field(side_nm, side_nm), rng)[:, :2]
        return rng.uniform(0, side_nm, (count, 2))

    def _background(self, s: dict[str, float], rng: np.random.Generator) -> Float64:
        shape = (self.patch_px, self.patch_px)
        periods = tuple(np.exp(rng.uniform(np.log(8), np.log(200), 2)))
        return np.asarray(structured(shape, s["background_e"], s["background_contrast"], periods, rng), np.float64)

    def _spikes(self, who: NDArray[np.int64], position: Float64, photons: Float64) -> Tensor:
        """Return how many molecules are in each super-resolved pixel; those too dim to be seen are left out."""
        side = UPSAMPLING * self.patch_px
        column, row = np.floor(position[:, :2].T * (UPSAMPLING / self.spots.pixel_size_nm)).astype(np.int64)
        seen = photons > LEAST_SHARE * self.space["photons"].low
        seen &= (column >= 0) & (column < side) & (row >= 0) & (row < side)
        flat = (who[seen] * side + row[seen]) * side + column[seen]
        spikes = np.bincount(flat, minlength=self.batch * side**2)
        return self._to(spikes.reshape(self.batch, side, side))

    def _to(self, values: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values, np.float32)).to(self.device)


def _shares(alive: float, on_time_frames: float, rng: np.random.Generator) -> Float64:
    """Return the share of the frame that each molecule is on; `alive` are on at any time, in the mean."""
    old, new = rng.poisson(alive), rng.poisson(alive / on_time_frames)
    start = np.concatenate((np.zeros(old), rng.uniform(0, 1, new)))
    end = start + rng.exponential(on_time_frames, old + new)
    return np.minimum(end, 1) - start
