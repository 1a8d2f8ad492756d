"""The light of emitters in crops of an even side: of spots that are known, or behind a pupil that differs each time.

Positions count from the centre of the crop, a corner between four pixels (`models/backgrounds/crops.py`); spots have
odd windows, whose centre is half a pixel farther, and whose last row and column are left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from models.aberrations.space import objective_of
from models.crops.space import mode_name, modes_of
from models.optics import zernike
from models.optics.arrays import constant_like
from models.optics.low_rank import LowRankSpot
from models.optics.propagator import Setup
from models.optics.vectorial import Aberration, VectorialSpot
from models.psf import BEYOND_NM, PSFS
from models.sample_space import SampleSpace
from models.scenes.optics import MASKS

REACH_PX = 1
"""An emitter is at most 0.9 pixels from the centre of its crop, which is 1.4 from that of the window."""
CACHE, GPU = 16, 512
"""Spots computed at once: those that fit into a processor's cache, and what a GPU wants."""


class CropSpots(Protocol):
    """Draws emitters, each in a crop of its own."""

    modes: tuple[int, ...]
    """Noll indices of the aberrations that differ from crop to crop."""
    pixel_size_nm: float

    def light(self, place_nm: Tensor, waves: Tensor) -> Tensor:
        """Return the share of the collected photons on each pixel, (n, side, side).

        Parameters
        ----------
        place_nm : (n, 3) float
            x, y from the centre of the crop, z from the focal plane.
        waves : (n, modes) float
        """

    def with_slopes(self, place_nm: Tensor, waves: Tensor, of_modes: bool = True) -> tuple[Tensor, Tensor]:
        """Return the light, and its derivatives by x, y, z in nm and by each mode in waves, (n, 3 + modes, y, x).

        `of_modes` False: only the first three, which takes half as long.
        """


def crop_spots(psf: str, space: SampleSpace, spot: LowRankSpot, side_px: int, device: str = "cpu") -> CropSpots:
    """Return what crops of a sample space are drawn with.

    Parameters
    ----------
    psf : str
        Name or file of the spots.
    space : SampleSpace
        Where aberrations differ, with the objective's numbers.
    spot : LowRankSpot
    side_px : int
        Even.
    device : str

    Raises
    ------
    ValueError
        Aberrations shall differ, but the pupil behind the spots is not known.
    """
    modes = modes_of(space)
    if not modes:
        return KnownSpots(spot, side_px)
    if psf not in PSFS:
        raise ValueError(
            f"{', '.join(map(mode_name, modes))} shall differ from crop to crop, but of {Path(psf).name} only the "
            f"spots are known, not the pupil: take one of {', '.join(PSFS)}, or smnet-z"
        )
    z = space["z_nm"]
    setup = Setup(objective_of(space), {}, MASKS[PSFS[psf].mask], max(abs(z.low), abs(z.high)) + BEYOND_NM)
    return AberratedSpots(setup, spot.pixel_size_nm, side_px, modes, CACHE if device == "cpu" else GPU)


class KnownSpots:
    """The same low-rank spots everywhere; no aberration differs.

    Parameters
    ----------
    spot : LowRankSpot
    side_px : int
        Even.
    """

    modes: tuple[int, ...] = ()

    def __init__(self, spot: LowRankSpot, side_px: int) -> None:
        self._spot, self.pixel_size_nm = spot.cropped(side_px + 1, REACH_PX), spot.pixel_size_nm

    def light(self, place_nm: Tensor, waves: Tensor) -> Tensor:
        """Return the share of the photons on each pixel; as `CropSpots.light`."""
        return _cropped(self._spot(in_window(place_nm, self.pixel_size_nm)))

    def with_slopes(self, place_nm: Tensor, waves: Tensor, of_modes: bool = True) -> tuple[Tensor, Tensor]:
        """Return the light and its derivatives; as `CropSpots.with_slopes`."""
        images, slopes = self._spot.with_gradient(in_window(place_nm, self.pixel_size_nm))
        return _cropped(images), _cropped(slopes)


class AberratedSpots:
    """Exact spots behind a pupil to which each crop adds aberrations of its own.

    Parameters
    ----------
    setup : Setup
    pixel_size_nm : float
    side_px : int
        Even.
    modes : tuple of int
        Noll indices.
    at_once : int
        Spots computed together.
    """

    def __init__(
        self, setup: Setup, pixel_size_nm: float, side_px: int, modes: tuple[int, ...], at_once: int = CACHE
    ) -> None:  # fmt: skip
        self._spot = VectorialSpot(setup, pixel_size_nm, side_px + 1, at_once)
        self.pixel_size_nm, self.modes = pixel_size_nm, modes
        pupil = self._spot.propagator.pupil
        self._basis = 2 * np.pi * np.asarray(zernike.basis(modes, pupil.x, pupil.y))

    def light(self, place_nm: Tensor, waves: Tensor) -> Tensor:
        """Return the share of the photons on each pixel; as `CropSpots.light`."""
        return _cropped(self._spot(in_window(place_nm, self.pixel_size_nm), self._behind(waves)))

    def with_slopes(self, place_nm: Tensor, waves: Tensor, of_modes: bool = True) -> tuple[Tensor, Tensor]:
        """Return the light and its derivatives; as `CropSpots.with_slopes`."""
        place, basis = in_window(place_nm, self.pixel_size_nm), constant_like(self._basis, place_nm)
        if of_modes:
            images, slopes = self._spot.with_all_gradients(place, self._behind(waves), basis)
        else:
            images, slopes = self._spot.with_gradient(place, self._behind(waves))
        return _cropped(images), _cropped(slopes)

    def _behind(self, waves: Tensor) -> Aberration:
        return Aberration(phase_rad=self._spot.propagator.zernike_phase(self.modes, waves))


def in_window(place_nm: Tensor, pixel_size_nm: float) -> Tensor:
    """Return positions (n, 3) from the centre of a crop as positions from that of the odd window around it."""
    half = torch.tensor([pixel_size_nm / 2, pixel_size_nm / 2, 0.0], dtype=place_nm.dtype, device=place_nm.device)
    return place_nm - half


def _cropped(images: Tensor) -> Tensor:
    return images[..., :-1, :-1]
