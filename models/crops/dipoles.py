"""Crops of dipoles on the coverslip, each with an orientation of its own (`models/optics/coverslip_dipole.py`)."""

from __future__ import annotations

import torch
from torch import Tensor

from models.crops.space import ORIENTED
from models.crops.windows import cropped, in_window
from models.optics.coverslip_dipole import CoverslipDipole, dipole_images, dipole_slopes, moments_of
from models.optics.objective import Objective


class DipoleSpots:
    """Satisfies `models.crops.spots.CropSpots`; what differs is theta, phi and mobility.

    Parameters
    ----------
    objective : Objective
    pixel_size_nm : float
    side_px : int
        Even.
    alike : int
        So many crops one after another have the same place: the image is linear in the moments of the dipole, so that
        other orientations there cost nothing.
    at_once : int
        Emitters computed together.
    """

    modes: tuple[int, ...] = ()
    further: tuple[str, ...] = ORIENTED
    shared: tuple[str, ...] = ("z_nm",)

    def __init__(
        self, objective: Objective, pixel_size_nm: float, side_px: int, alike: int = 1, at_once: int = 16
    ) -> None:  # fmt: skip
        self._spot = CoverslipDipole(objective, pixel_size_nm, side_px + 1, at_once)
        self.pixel_size_nm, self.alike = pixel_size_nm, alike

    def light(self, place_nm: Tensor, further: Tensor) -> Tensor:
        """Return the share of the photons on each pixel; as `CropSpots.light`."""
        images, energies = self._repeated(*self._spot.basis(self._places(place_nm)))
        return cropped(dipole_images(images, energies, moments_of(further)))

    def with_slopes(self, place_nm: Tensor, further: Tensor, of_further: bool = True) -> tuple[Tensor, Tensor]:
        """Return the light and its derivatives; as `CropSpots.with_slopes`."""
        places = self._places(place_nm)
        images, energies, slopes = self._repeated(*self._spot.basis(places), self._spot.basis_slopes(places))
        light = dipole_images(images, energies, moments_of(further))
        found = dipole_slopes(images, energies, slopes, further)
        return cropped(light), cropped(found if of_further else found[:, :3])

    def _places(self, place_nm: Tensor) -> Tensor:
        return in_window(place_nm[:: self.alike], self.pixel_size_nm)

    def _repeated(self, *parts: Tensor) -> list[Tensor]:
        return [torch.repeat_interleave(part, self.alike, dim=0) for part in parts]
