"""Crops in two planes of focus, side by side on a camera, behind a pupil that differs each time.

The first plane's focus is half of their distance nearer to the coverslip; each gets half of the photons.
"""

from __future__ import annotations

import torch
from torch import Tensor

from models.crops.space import SHIFT, mode_name
from models.crops.spots import AberratedSpots
from models.optics.objective import Objective
from models.optics.propagator import Setup

SHARE = 0.5


class PlaneSpots:
    """Satisfies `models.crops.spots.CropSpots` with one axis more: (n, plane, y, x).

    Parameters
    ----------
    objective : Objective
    distance_nm : float
        Of the two focal planes.
    height_nm : float
        Of the middle between them above the coverslip.
    pixel_size_nm : float
    side_px : int
        Even.
    modes : tuple of int
        Noll indices.
    at_once : int
        Spots computed together.
    """

    alike = 1
    shared: tuple[str, ...] = ()

    def __init__(
        self, objective: Objective, distance_nm: float, height_nm: float, pixel_size_nm: float, side_px: int,
        modes: tuple[int, ...], at_once: int = 16,
    ) -> None:  # fmt: skip
        moved = distance_nm / 2 * objective.immersion_index / objective.sample_index
        self._planes = [
            AberratedSpots(
                Setup(objective, height_nm=height_nm, focus_nm=focus), pixel_size_nm, side_px, modes, at_once
            )
            for focus in (moved, -moved)
        ]
        self.pixel_size_nm, self.modes = pixel_size_nm, modes
        self.further: tuple[str, ...] = (*map(mode_name, modes), *SHIFT)

    def light(self, place_nm: Tensor, further: Tensor) -> Tensor:
        """Return the share of the photons on each pixel, (n, 2, side, side); as `CropSpots.light`."""
        waves, places = self._arguments(place_nm, further)
        planes = [SHARE * spots.light(place, waves) for spots, place in zip(self._planes, places, strict=True)]
        return torch.stack(planes, dim=1)

    def with_slopes(self, place_nm: Tensor, further: Tensor, of_further: bool = True) -> tuple[Tensor, Tensor]:
        """Return the light (n, 2, y, x) and its derivatives (n, 3 + modes, 2, y, x); the shift is known."""
        waves, places = self._arguments(place_nm, further)
        both = [
            spots.with_slopes(place, waves, of_further) for spots, place in zip(self._planes, places, strict=True)
        ]  # fmt: skip
        light, slopes = zip(*both, strict=True)
        return SHARE * torch.stack(light, dim=1), SHARE * torch.stack(slopes, dim=2)

    def _arguments(self, place_nm: Tensor, further: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Return the waves, and the places in each of the planes."""
        shift = torch.nn.functional.pad(further[:, -len(SHIFT) :] * self.pixel_size_nm, (0, 1))
        return further[:, : -len(SHIFT)], (place_nm, place_nm + shift)
