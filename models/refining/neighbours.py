"""Which candidates are the same emitter in the frames before and after, and which lie in each other's windows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

NEAREST_PX, FARTHEST_PX = 0.3, 1.5
"""Limits of the distance that the uncertainties allow between two frames."""
SIGMAS = 3.0
APART = 1e6
"""Distance between frames in the tree."""
Float64 = NDArray[np.float64]


def same_emitter(frame: NDArray[np.int64], xy_px: Float64, sigma_px: Float64) -> NDArray[np.int64]:
    """Return for each candidate the row of the same emitter in the frame before, its own, in the frame after; or -1.

    Two candidates are one emitter if each is the nearest to the other and they are within three of their uncertainties.

    Parameters
    ----------
    frame : (n,) int
    xy_px : (n, 2) float
    sigma_px : (n, 2) float

    Returns
    -------
    (n, 3) int64
    """
    n = len(frame)
    rows = np.arange(n)
    links = np.column_stack((np.full(n, -1), rows, np.full(n, -1))).astype(np.int64)
    if not n:
        return links
    tree = cKDTree(np.column_stack((xy_px, frame * APART)))
    later = _nearest(tree, xy_px, frame + 1)
    before = _nearest(tree, xy_px, frame - 1)
    pairs = rows[(later >= 0) & (before[later] == rows)]
    partners = later[pairs]
    spread = np.sqrt((sigma_px[pairs] ** 2 + sigma_px[partners] ** 2).sum(1))
    near = np.hypot(*(xy_px[pairs] - xy_px[partners]).T) < np.clip(SIGMAS * spread, NEAREST_PX, FARTHEST_PX)
    links[pairs[near], 2], links[partners[near], 0] = partners[near], pairs[near]
    return links


def _nearest(tree: cKDTree, xy_px: Float64, frame: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the nearest candidate of a frame, (n,); -1 if there is none near."""
    _, nearest = tree.query(np.column_stack((xy_px, frame * APART)), distance_upper_bound=FARTHEST_PX)
    return np.where(nearest < tree.n, nearest, -1)


def crowded(frame: NDArray[np.int64], xy_px: Float64, links: NDArray[np.int64], reach_px: float) -> NDArray[np.bool_]:
    """Return where another emitter's window overlaps: (n, 3) bool for the frames of `same_emitter`.

    Parameters
    ----------
    frame, xy_px, links
        As of `same_emitter`.
    reach_px : float
        Edge of a window.
    """
    alone = np.ones(len(frame), bool)
    if len(frame):
        tree = cKDTree(np.column_stack((xy_px, frame * APART)))
        pairs = tree.query_pairs(reach_px, p=np.inf, output_type="ndarray")
        alone[pairs.ravel()] = False
    return np.where(links >= 0, ~alone[links], False)


def same_frame_distance(frame: NDArray[np.int64], xy_px: Float64) -> Float64:
    """Return the distance to the nearest other candidate of the same frame, (n,); infinite if there is none."""
    if len(frame) < 2:
        return np.full(len(frame), np.inf)
    tree = cKDTree(np.column_stack((xy_px, frame * APART)))
    distance, _ = tree.query(tree.data, k=2, distance_upper_bound=APART / 2)
    return np.asarray(distance)[:, 1]
