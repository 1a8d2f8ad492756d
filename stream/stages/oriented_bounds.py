"""How sure a network is of orientations: the Cramer-Rao bound of each crop, at what the network says.

Bounds are those of a dipole in the middle of its crop, at the nearest of some heights: the place in the pixel changes
them little, and so molecules cost what their noise costs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from models.aberrations.space import objective_of
from models.backgrounds.crops import border_median
from models.optics.coverslip_dipole import CoverslipDipole, dipole_images, dipole_slopes, moments_of
from models.optics.crlb import bounds, fisher
from models.sample_space import SampleSpace
from stream.stages.crop_bounds import LEAST_BACKGROUND, LEAST_PHOTONS

Float32 = NDArray[np.float32]
HEIGHTS, MOST_DEG = 9, 57.3
"""Heights; what the mean angle to an axis of no orientation at all is."""
SIGMA = "sigma_orientation_deg"


class OrientedBounds:
    """Bounds for crops of dipoles.

    Parameters
    ----------
    space : SampleSpace
        Of the network, with the objective's numbers.
    side_px : int
        Even.
    """

    def __init__(self, space: SampleSpace, side_px: int) -> None:
        z, pixel = space["z_nm"], space["pixel_size_nm"].middle
        spot = CoverslipDipole(objective_of(space), pixel, side_px)
        self._heights, self._mobility = np.linspace(z.low, z.high, HEIGHTS), space["mobility"].middle
        place = np.column_stack((0 * self._heights, 0 * self._heights, self._heights))
        self._basis = (*spot.basis(place), spot.basis_slopes(place))

    @staticmethod
    def columns(answers: Iterable[str]) -> tuple[str, ...]:
        """Return the columns that are added to a network's answers."""
        return (SIGMA,)

    def of(
        self, answers: Iterable[str], place: Mapping[str, NDArray[np.floating]], crops: Float32, variance: Float32
    ) -> dict[str, Float32]:
        """Return the bound of the angle between axes, (n,); parameters as of `CropBounds.of`, with both angles."""
        background = np.maximum(border_median(crops), LEAST_BACKGROUND).astype(np.float64)
        photons = np.maximum((crops - background[:, None, None]).sum(axis=(1, 2)), LEAST_PHOTONS)
        degrees = np.column_stack((place["theta_deg"], place["phi_deg"], np.full(len(crops), self._mobility)))
        at = np.abs(np.asarray(place["z_nm"])[:, None] - self._heights).argmin(axis=1)
        images, energies, slopes = (part[at] for part in self._basis)
        light = dipole_images(images, energies, moments_of(degrees)).reshape(len(crops), -1)
        by_all = dipole_slopes(images, energies, slopes, degrees).reshape(len(crops), 6, -1)
        scaled = photons[:, None, None] * by_all
        jacobian = np.concatenate((scaled, light[:, None], 0 * light[:, None] + 1), axis=1)
        mean = np.maximum(photons[:, None] * light, 0) + background[:, None]
        sigma = bounds(fisher(jacobian, mean, variance.reshape(len(crops), -1).astype(np.float64)))
        angle = np.hypot(sigma[:, 3], np.sin(np.radians(degrees[:, 0])) * sigma[:, 4])
        return {SIGMA: np.minimum(angle, MOST_DEG).astype(np.float32)}
