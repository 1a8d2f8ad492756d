"""Spots that stay: localizations of the first frames, linked, those kept that were seen often enough."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from models.linking import Linker
from models.localizations import Localizations

Float64 = NDArray[np.float64]
SEEN = 0.3
"""Share of the first frames in which a spot must have been found; dim ones are missed in some."""
NEAR_PX = 1.0
"""From frame to frame a spot is found again within so many pixels."""
CLOSEST_PX = 1.5
"""Spots that are closer cannot be told apart: they are one, the brighter one's place is taken."""


def static_spots(table: Localizations, frames: int, pixel_size_nm: float) -> Float64:
    """Return x, y, z of spots that stay, (n, 3) nm, the brightest first; z is 0 in focus.

    Parameters
    ----------
    table : Localizations
        Of the first frames, in frame order.
    frames : int
        How many they are.
    pixel_size_nm : float
    """
    linker = Linker(NEAR_PX * pixel_size_nm, max_gap_frames=frames)
    last = int(np.max(table["frame"], initial=0))
    linker.add(table, last)
    found = linker.finish()
    if not len(found):
        return np.empty((0, 3))
    often = np.asarray(found["frames"]) >= max(SEEN * frames, 1)
    found = found.where(np.flatnonzero(often))
    order = np.argsort(-np.asarray(found["photons"]) / np.asarray(found["frames"]), kind="stable")
    z = np.asarray(found["z_nm"], float) if "z_nm" in found else np.zeros(len(found))
    place = np.column_stack((found["x_nm"], found["y_nm"], z)).astype(np.float64)[order]
    return place[_apart(place[:, :2], CLOSEST_PX * pixel_size_nm)]


def _apart(xy_nm: Float64, distance_nm: float) -> NDArray[np.int64]:
    """Return rows, in order, that are no closer than this to a row before them which is kept."""
    keep = np.ones(len(xy_nm), bool)
    pairs = cKDTree(xy_nm).query_pairs(distance_nm, output_type="ndarray") if len(xy_nm) else np.empty((0, 2), int)
    for one, other in sorted(pairs.tolist()):
        if keep[one]:
            keep[other] = False
    return np.flatnonzero(keep)
