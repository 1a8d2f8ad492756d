"""Simulated crops with one emitter each: what networks that localize in crops learn from.

| step | in -> out | axes, unit |
|---|---|---|
| emitter | near the centre, as a detector leaves it, at any z -> share of its light | (b, y, x) photo-electrons |
| pupil | aberrations of each crop's own, where the space names some | (b, modes) waves |
| background | flat | photo-electrons per pixel |
| camera | -> photo-electrons over F^2, of variance their mean + that of the read noise | (b, y, x) |

The same (seed, step) gives the same crops.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.crops.space import mode_name
from models.crops.spots import CropSpots
from models.sample_space import SampleSpace
from models.training_cameras import Cameras

PLACE = ("x_px", "y_px", "z_nm")
LIGHT = ("photons", "background")


@dataclass(frozen=True, slots=True)
class EmitterCrops:
    """A batch of crops; counts are photo-electrons over the excess noise factor F^2.

    Parameters
    ----------
    counts : (b, y, x) float32
    variance : (b, y, x) float32
        Of the read noise.
    truth : (b, k) float32
        In the order of `truth_names`: x and y in pixels from the centre of the crop, z in nm, photons in counts,
        background in counts per pixel, aberrations in waves.
    """

    counts: Tensor
    variance: Tensor
    truth: Tensor


def truth_names(modes: tuple[int, ...]) -> tuple[str, ...]:
    """Return what stands in the columns of `EmitterCrops.truth`."""
    return (*PLACE, *LIGHT, *map(mode_name, modes))


class EmitterSimulator:
    """Draws crops.

    Parameters
    ----------
    spots : CropSpots
    space : SampleSpace
        As `models.crops.space.crops_space`.
    batch, crop_px : int
    device : str
    """

    def __init__(self, spots: CropSpots, space: SampleSpace, batch: int, crop_px: int, device: str = "cpu") -> None:
        self._spots, self._space, self._batch, self._crop_px, self._device = spots, space, batch, crop_px, device

    def draw(self, seed: int, step: int) -> EmitterCrops:
        """Return the batch of a step."""
        rng = np.random.default_rng((seed, step))
        settings = [self._space.sample(rng) for _ in range(self._batch)]
        offset = self._space["offset_px"]
        xy = rng.uniform(offset.low, offset.high, (self._batch, 2))
        names = ("z_nm", "photons", "background_e", *map(mode_name, self._spots.modes))
        column = {name: np.array([s[name] for s in settings]) for name in names}
        waves = self._to(np.array([column[mode_name(j)] for j in self._spots.modes]).reshape(-1, self._batch).T)
        place_nm = self._to(np.column_stack((xy * self._spots.pixel_size_nm, column["z_nm"])))
        share = self._spots.light(place_nm, waves).clamp(min=0)
        photons, background = (self._to(column[name])[:, None, None] for name in ("photons", "background_e"))
        cameras = Cameras.draw(self._space, settings, self._crop_px, rng)
        generator = torch.Generator(self._device).manual_seed(int(rng.integers(2**62)))
        counts = cameras.expose((photons * share + background)[:, None], generator)[:, 0]
        excess = cameras.excess.reshape(-1)
        light = [column["photons"] / excess, column["background_e"] / excess]
        truth = torch.cat((self._to(np.column_stack((xy, column["z_nm"], *light))), waves), dim=1)
        return EmitterCrops(counts, self._to(cameras.variance[:, 0]), truth)

    def _to(self, values: NDArray[np.floating]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values, np.float32)).to(self._device)
