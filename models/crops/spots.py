"""The light of emitters in crops of an even side: of spots that are known, or behind a pupil that differs each time.

Dipoles stand in `dipoles.py`, spots in two planes in `planes.py`; `build.py` says which a sample space asks for.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from torch import Tensor

from models.crops.space import mode_name
from models.crops.windows import cropped, in_window
from models.optics import zernike
from models.optics.arrays import constant_like
from models.optics.low_rank import LowRankSpot
from models.optics.propagator import Setup
from models.optics.vectorial import Aberration, VectorialSpot

REACH_PX = 1
"""An emitter is at most 0.9 pixels from the centre of its crop, which is 1.4 from that of the window."""


class CropSpots(Protocol):
    """Draws emitters, each in a crop of its own."""

    modes: tuple[int, ...]
    """Noll indices of the aberrations that differ from crop to crop."""
    further: tuple[str, ...]
    """All that differs beside place and light, by the name of the sample space's field."""
    pixel_size_nm: float
    alike: int
    """So many crops one after another must have the same x, y and `shared`."""
    shared: tuple[str, ...]

    def light(self, place_nm: Tensor, further: Tensor) -> Tensor:
        """Return the share of the collected photons on each pixel, (n, side, side).

        Parameters
        ----------
        place_nm : (n, 3) float
            x, y from the centre of the crop, z from the focal plane.
        further : (n, further) float
        """

    def with_slopes(self, place_nm: Tensor, further: Tensor, of_further: bool = True) -> tuple[Tensor, Tensor]:
        """Return the light, and its derivatives by x, y, z in nm and by `further`, (n, 3 + further, y, x).

        `of_further` False: only the first three, which takes half as long.
        """


class KnownSpots:
    """The same low-rank spots everywhere; no aberration differs.

    Parameters
    ----------
    spot : LowRankSpot
    side_px : int
        Even.
    """

    modes: tuple[int, ...] = ()
    further: tuple[str, ...] = ()
    alike = 1
    shared: tuple[str, ...] = ()

    def __init__(self, spot: LowRankSpot, side_px: int) -> None:
        self._spot, self.pixel_size_nm = spot.cropped(side_px + 1, REACH_PX), spot.pixel_size_nm

    def light(self, place_nm: Tensor, further: Tensor) -> Tensor:
        """Return the share of the photons on each pixel; as `CropSpots.light`."""
        return cropped(self._spot(in_window(place_nm, self.pixel_size_nm)))

    def with_slopes(self, place_nm: Tensor, further: Tensor, of_further: bool = True) -> tuple[Tensor, Tensor]:
        """Return the light and its derivatives; as `CropSpots.with_slopes`."""
        images, slopes = self._spot.with_gradient(in_window(place_nm, self.pixel_size_nm))
        return cropped(images), cropped(slopes)


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

    alike = 1
    shared: tuple[str, ...] = ()

    def __init__(
        self, setup: Setup, pixel_size_nm: float, side_px: int, modes: tuple[int, ...], at_once: int = 16
    ) -> None:  # fmt: skip
        self._spot = VectorialSpot(setup, pixel_size_nm, side_px + 1, at_once)
        self.pixel_size_nm, self.modes, self.further = pixel_size_nm, modes, tuple(map(mode_name, modes))
        pupil = self._spot.propagator.pupil
        self._basis = 2 * np.pi * np.asarray(zernike.basis(modes, pupil.x, pupil.y))

    def light(self, place_nm: Tensor, further: Tensor) -> Tensor:
        """Return the share of the photons on each pixel; as `CropSpots.light`."""
        return cropped(self._spot(in_window(place_nm, self.pixel_size_nm), self._behind(further)))

    def with_slopes(self, place_nm: Tensor, further: Tensor, of_further: bool = True) -> tuple[Tensor, Tensor]:
        """Return the light and its derivatives; as `CropSpots.with_slopes`."""
        place, basis = in_window(place_nm, self.pixel_size_nm), constant_like(self._basis, place_nm)
        if of_further:
            images, slopes = self._spot.with_all_gradients(place, self._behind(further), basis)
        else:
            images, slopes = self._spot.with_gradient(place, self._behind(further))
        return cropped(images), cropped(slopes)

    def _behind(self, waves: Tensor) -> Aberration:
        return Aberration(phase_rad=self._spot.propagator.zernike_phase(self.modes, waves))
