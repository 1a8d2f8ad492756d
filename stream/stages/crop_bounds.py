"""How sure a network is that states nothing of it: the Cramer-Rao bound of each crop, at what the network says.

smNet is trained to reach it (Zhang et al. 2018); by how much it does not is on its card.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from models.backgrounds.crops import border_median
from models.optics.crlb import spot_bounds
from models.optics.low_rank import LowRankSpot

Float32 = NDArray[np.float32]
REACH_PX = 2
LEAST_PHOTONS, LEAST_BACKGROUND = 1.0, 0.01
SPREAD = {"x_px": "sigma_x_px", "y_px": "sigma_y_px", "z_nm": "sigma_z_nm"}
"""Answers, and the columns that say how sure they are."""


class CropBounds:
    """Bounds for crops of an even side; their window lacks the last row and column.

    Parameters
    ----------
    spot : LowRankSpot
        That the network was trained for.
    side_px : int
    """

    def __init__(self, spot: LowRankSpot, side_px: int) -> None:
        self._spot = spot.cropped(side_px - 1, REACH_PX)

    @staticmethod
    def columns(answers: Iterable[str]) -> tuple[str, ...]:
        """Return the columns that are added to a network's answers."""
        return tuple(SPREAD[name] for name in answers if name in SPREAD)

    def of(self, said: Mapping[str, Float32], crops: Float32, variance: Float32) -> dict[str, Float32]:
        """Return the bounds (n,) of what is said of crops (n, y, x).

        Light is what the crop holds above the median of its border, which is the background.
        """
        background = np.maximum(border_median(crops), LEAST_BACKGROUND)
        photons = np.maximum((crops - background[:, None, None]).sum(axis=(1, 2)), LEAST_PHOTONS)
        pixel = self._spot.pixel_size_nm
        middle = np.zeros(len(crops), np.float32)
        xy = [(said.get(name, middle) + 0.5) * pixel for name in ("x_px", "y_px")]
        place = [
            np.clip(values, *limits)
            for values, limits in zip((*xy, said.get("z_nm", middle)), self._spot.limits_nm, strict=True)
        ]
        parameters = np.column_stack((*place, photons, background)).astype(np.float64)
        noise = variance[:, :-1, :-1].reshape(len(crops), -1)
        sigma = spot_bounds(self._spot, parameters, noise)
        scale = {"x_px": ("x_nm", pixel), "y_px": ("y_nm", pixel), "z_nm": ("z_nm", 1.0)}
        return {
            SPREAD[name]: np.asarray(sigma[scale[name][0]] / scale[name][1], np.float32)
            for name in said
            if name in SPREAD
        }
