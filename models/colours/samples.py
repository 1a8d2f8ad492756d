"""Simulated crops of emitters of several colours: as `models/crops/samples.py`, each colour with its own spots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from models.crops.samples import EmitterCrops, EmitterSimulator
from models.crops.spots import KnownSpots
from models.optics.low_rank import LowRankSpot
from models.sample_space import SampleSpace


class ColourCrops(NamedTuple):
    """A batch of crops, and the colour of each.

    Attributes
    ----------
    crops : EmitterCrops
    channel : (b,) int64
        Which dye, from 0.
    """

    crops: EmitterCrops
    channel: Tensor


class ColourSimulator:
    """Draws crops, about as many of each colour.

    Parameters
    ----------
    spots : sequence of LowRankSpot
        Of each dye.
    space : SampleSpace
    batch, crop_px : int
    device : str
    """

    def __init__(
        self, spots: Sequence[LowRankSpot], space: SampleSpace, batch: int, crop_px: int, device: str = "cpu"
    ) -> None:  # fmt: skip
        sizes = [len(part) for part in torch.arange(batch).tensor_split(len(spots))]
        self._of_colour = [
            EmitterSimulator(KnownSpots(spot, crop_px), space, size, crop_px, device)
            for spot, size in zip(spots, sizes, strict=True)
        ]
        self._channel = torch.repeat_interleave(torch.arange(len(spots)), torch.tensor(sizes)).to(device)

    def draw(self, seed: int, step: int) -> ColourCrops:
        """Return the batch of a step; the same (seed, step) gives the same one."""
        colours = len(self._of_colour)
        parts = [simulator.draw(seed, step * colours + k) for k, simulator in enumerate(self._of_colour)]
        joined = (torch.cat([getattr(part, name) for part in parts]) for name in EmitterCrops.__dataclass_fields__)
        return ColourCrops(EmitterCrops(*joined), self._channel)
