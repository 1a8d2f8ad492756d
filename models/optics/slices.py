"""The PSF as people look at it: a few images of one emitter, at heights through the focus."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.optics.spot import Spot

COUNT = 3
REACH_NM = 500.0
"""So far above and below the focal plane, if the spot is known there."""


@dataclass(frozen=True, slots=True)
class PsfSlices:
    """Images of one emitter, from the lowest to the highest.

    Parameters
    ----------
    images : (z, y, x) float32
        Share of the collected photons that falls on each pixel.
    z_nm : tuple of float
        Of the emitter from the focal plane, away from the coverslip.
    pixel_nm : float
        Edge of a pixel, in the sample.
    """

    images: NDArray[np.float32]
    z_nm: tuple[float, ...]
    pixel_nm: float


def slices(spot: Spot, lowest_nm: float, highest_nm: float) -> PsfSlices:
    """Return the images of a spot at evenly spaced heights; both ends count from the focal plane.

    Parameters
    ----------
    spot : Spot
    lowest_nm, highest_nm : float
        What the spot is known for; not more than `REACH_NM` to either side is shown.
    """
    z = np.linspace(max(lowest_nm, -REACH_NM), min(highest_nm, REACH_NM), COUNT)
    images = np.asarray(spot(np.column_stack((0 * z, 0 * z, z))), np.float32)
    return PsfSlices(images, tuple(z.tolist()), spot.pixel_size_nm)
