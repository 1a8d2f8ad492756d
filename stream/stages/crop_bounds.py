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
PLACE = ("x_px", "y_px", "z_nm")


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
        return tuple(f"sigma_{name}" for name in answers if name in PLACE)

    def of(
        self, answers: Iterable[str], place: Mapping[str, NDArray[np.floating]], crops: Float32, variance: Float32
    ) -> dict[str, Float32]:
        """Return the columns that are added, (n,) each.

        Light is what the crop holds above the median of its border, which is the background.

        Parameters
        ----------
        answers : iterable of str
        place : mapping of str to (n,) float
            x_px and y_px from the centre of the crop, z_nm: what the network says, or else what is known.
        crops, variance : (n, y, x) float32
            Counts, and variance of the read noise.
        """
        background = np.maximum(border_median(crops), LEAST_BACKGROUND)
        photons = np.maximum((crops - background[:, None, None]).sum(axis=(1, 2)), LEAST_PHOTONS)
        pixel = self._spot.pixel_size_nm
        in_window = ((place["x_px"] + 0.5) * pixel, (place["y_px"] + 0.5) * pixel, place["z_nm"])
        inside = [np.clip(values, *limits) for values, limits in zip(in_window, self._spot.limits_nm, strict=True)]
        parameters = np.column_stack((*inside, photons, background)).astype(np.float64)
        sigma = spot_bounds(self._spot, parameters, variance[:, :-1, :-1].reshape(len(crops), -1))
        found = {"x_px": sigma["x_nm"] / pixel, "y_px": sigma["y_nm"] / pixel, "z_nm": sigma["z_nm"]}
        return {f"sigma_{name}": np.asarray(found[name], np.float32) for name in answers if name in PLACE}
