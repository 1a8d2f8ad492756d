"""Crops of blinking molecules: which of a table tell of the pupil, and their pixels.

Alone in the window, bright, and spread over z: what is far from the focus tells most, and what is in focus least, so
each part of the depth gives its share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.camera import Camera
from models.localizations import Localizations
from models.refining.neighbours import same_frame_distance

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
SHELLS = 8
"""Parts of the depth that give the same number of molecules, if they have them."""


@dataclass(frozen=True, slots=True)
class Molecules:
    """Windows around single molecules; counts are photo-electrons over the excess noise factor.

    Parameters
    ----------
    counts, variance : (n, y, x) float32
        Light, and variance of the read noise in the same unit squared.
    position_nm : (n, 3) float64
        x, y from the centre of the window, z from the focal plane, as they were localized.
    photons, background : (n,) float64
        Counts; counts per pixel.
    place_nm : (n, 2) float64
        x, y in the field of view.
    """

    counts: Float32
    variance: Float32
    position_nm: Float64
    photons: Float64
    background: Float64
    place_nm: Float64

    def __len__(self) -> int:
        return len(self.counts)

    def where(self, keep: NDArray[np.generic]) -> Molecules:
        """Return some of them."""
        return Molecules(*(getattr(self, name)[keep] for name in self.__slots__))


def joined(parts: Sequence[Molecules]) -> Molecules:
    """Return all molecules of several tables, at least one."""
    return Molecules(*(np.concatenate([getattr(part, name) for part in parts]) for name in Molecules.__slots__))


def cut(
    counts: Float32,
    frame: NDArray[np.int64],
    table: Localizations,
    camera: Camera,
    pixel_size_nm: float,
    window_px: int,
) -> Molecules:
    """Return the windows of the localizations that are alone in theirs.

    Parameters
    ----------
    counts : (t, y, x) float32
        Photo-electrons over the excess noise factor.
    frame : (n,) int64
        Frame of each row, as an index into `counts`.
    table : Localizations
        With z_nm.
    camera : Camera
        Its maps cover the frames.
    pixel_size_nm : float
    window_px : int
        Odd.
    """
    _, height, width = counts.shape
    place = np.column_stack([np.asarray(table[name], np.float64) for name in ("x_nm", "y_nm")])
    corner = np.floor(place / pixel_size_nm).astype(np.int64) - window_px // 2
    inside = ((corner >= 0) & (corner + window_px <= (width, height))).all(1)
    alone = same_frame_distance(frame, place / pixel_size_nm) > window_px / 2
    rows = np.flatnonzero(inside & alone)
    reach = np.arange(window_px)
    y, x = corner[rows, 1, None] + reach, corner[rows, 0, None] + reach
    noise = np.broadcast_to(camera.variance_e2 / camera.excess**2, (height, width))
    to_counts = camera.quantum_efficiency / camera.excess
    middle = (corner[rows] + window_px / 2) * pixel_size_nm
    return Molecules(
        counts[frame[rows, None, None], y[:, :, None], x[:, None]],
        np.asarray(noise[y[:, :, None], x[:, None]], np.float32),
        np.column_stack((place[rows] - middle, np.asarray(table["z_nm"], np.float64)[rows])),
        np.asarray(table["photons"], np.float64)[rows] * to_counts,
        np.asarray(table["background"], np.float64)[rows] / camera.excess, place[rows],
    )  # fmt: skip


def best(molecules: Molecules, count: int) -> Molecules:
    """Return at most `count`: of each part of the depth those that stand out most from the noise of their window."""
    window = molecules.counts[0].size if len(molecules) else 1
    noise = molecules.photons + window * (molecules.background + molecules.variance.mean((1, 2)))
    contrast = molecules.photons / np.sqrt(np.maximum(noise, 1e-9))
    z = molecules.position_nm[:, 2]
    edges = np.linspace(z.min(initial=0), z.max(initial=0), SHELLS + 1)[1:-1]
    shell = np.searchsorted(edges, z)
    order = np.argsort(-contrast, kind="stable")
    rank = np.empty(len(z), np.int64)
    for number in range(SHELLS):
        own = order[shell[order] == number]
        rank[own] = np.arange(len(own))
    return molecules.where(np.sort(np.lexsort((-contrast, rank))[:count]))
