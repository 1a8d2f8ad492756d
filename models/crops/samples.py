"""Simulated crops with one emitter each: what networks that localize in crops learn from.

| step | in -> out | axes, unit |
|---|---|---|
| emitter | near the centre, as a detector leaves it, at any z -> its light | (b, [plane,] y, x) photo-electrons |
| further | aberrations, orientations of each crop's own, where the space names some | (b, further) |
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

from models.crops.spots import CropSpots
from models.sample_space import SampleSpace
from models.training_cameras import Cameras

PLACE = ("x_px", "y_px", "z_nm")
LIGHT = ("photons", "background")
LIGHT_FIELDS = ("photons", "background_e")
"""Of a sample space: both in photo-electrons."""


@dataclass(frozen=True, slots=True)
class EmitterCrops:
    """A batch of crops; counts are photo-electrons over the excess noise factor F^2.

    Parameters
    ----------
    counts : (b, y, x) or (b, plane, y, x) float32
    variance : as counts
        Of the read noise.
    truth : (b, k) float32
        In the order of `truth_names`: x and y in pixels from the centre of the crop, z in nm, photons in counts,
        background in counts per pixel; what `further_of` names in its units.
    """

    counts: Tensor
    variance: Tensor
    truth: Tensor


def truth_names(further: tuple[str, ...]) -> tuple[str, ...]:
    """Return what stands in the columns of `EmitterCrops.truth`."""
    return (*PLACE, *LIGHT, *further)


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
        rng, spots = np.random.default_rng((seed, step)), self._spots
        settings = [self._space.sample(rng) for _ in range(self._batch)]
        offset = self._space["offset_px"]
        xy = rng.uniform(offset.low, offset.high, (self._batch, 2))
        column = {name: np.array([s[name] for s in settings]) for name in ("z_nm", *LIGHT_FIELDS, *spots.further)}
        first = np.arange(self._batch) // spots.alike * spots.alike
        column |= {name: column[name][first] for name in spots.shared}
        xy = xy[first]
        further = self._to(np.array([column[name] for name in spots.further]).reshape(-1, self._batch).T)
        place_nm = self._to(np.column_stack((xy * spots.pixel_size_nm, column["z_nm"])))
        share = spots.light(place_nm, further).clamp(min=0)
        views = share.shape[1] if share.ndim == 4 else 1
        photons, background = (self._to(column[name])[:, None, None, None] for name in LIGHT_FIELDS)
        light = photons * share.reshape(self._batch, views, self._crop_px, self._crop_px) + background
        cameras = Cameras.draw(self._space, settings, self._crop_px, rng, views)
        generator = torch.Generator(self._device).manual_seed(int(rng.integers(2**62)))
        counts, noise = cameras.expose(light, generator).reshape(share.shape), self._to(cameras.variance)
        excess = cameras.excess.reshape(-1)
        said = [column[name] / excess for name in LIGHT_FIELDS]
        truth = torch.cat((self._to(np.column_stack((xy, column["z_nm"], *said))), further), dim=1)
        return EmitterCrops(counts, noise.reshape(share.shape), truth)

    def _to(self, values: NDArray[np.floating]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values, np.float32)).to(self._device)
