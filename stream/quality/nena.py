"""Localization precision from the data alone: how far a molecule moves from one frame to the next.

Endesfelder, Malkusch, Fricke and Heilemann, Histochem. Cell Biol. 141, 629-638 (2014). The distance d from each
localization to the nearest one of the next frame is distributed as

    p(d) = A1 d / (2 s^2) exp(-d^2 / 4 s^2) + A2 exp(-(d - c)^2 / 2 w^2) / sqrt(2 pi) w + A3 d

the same molecule, localized twice with precision s along each axis; near neighbours; others anywhere.

Decision: how many frames lie between the two is a parameter. Context: a localizer that looks at the frames before and
after finds a molecule in neighbouring frames by the same light, with errors that are nearly the same, and from one
frame to the next moves a half to a third as far as it is wrong. Consequence: where it looks at three frames, those that
are compared are three apart and share none; with one apart the measure is the published one.
"""

from __future__ import annotations

from math import isfinite

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares, nnls
from scipy.spatial import cKDTree

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]

REACH_PX = 2.0
"""Distances up to so many camera pixels are counted."""
BINS = 400
MOST_ROWS = 40_000
"""Of what is handed over at once; the rest of its frames are not looked at, since so many pairs are enough."""
LEAST_PAIRS = 200
"""Of one molecule each; with fewer no precision is stated."""
CLEAR = 5.0
"""Their number must be so many times as large as it could be by chance."""
STARTS = 24


class NearestDistances:
    """Counts the distances to the nearest localization in the next frame, or some frames later.

    Parameters
    ----------
    pixel_size_nm : float
        Of the camera.
    apart_frames : int
        From one frame to the one it is compared with.

    Attributes
    ----------
    counts : (BINS,) int64
        From 0 to `reach_nm`.
    """

    def __init__(self, pixel_size_nm: float, apart_frames: int = 1) -> None:
        self.reach_nm, self._apart = REACH_PX * pixel_size_nm, apart_frames
        self.counts = np.zeros(BINS, np.int64)
        self._before = (np.empty(0, np.int64), np.empty((0, 2)))

    def add(self, frame: NDArray[np.int64], x_nm: Float32Array, y_nm: Float32Array) -> None:
        """Take localizations, (n,) each, in the order of their frames; none of these frames follows later."""
        if not len(frame):
            return
        known = np.isfinite(x_nm) & np.isfinite(y_nm)
        frame, place = frame[known], np.column_stack((x_nm[known], y_nm[known])).astype(np.float64)
        if len(frame) > MOST_ROWS:
            rows = slice(int(np.searchsorted(frame, frame[-MOST_ROWS])), None)
            frame, place = frame[rows], place[rows]
        else:
            frame, place = np.concatenate((self._before[0], frame)), np.concatenate((self._before[1], place))
        if not len(frame):
            return
        newest = frame > frame[-1] - self._apart
        self._before = frame[newest], place[newest]
        self._count(frame, place)

    def _count(self, frame: NDArray[np.int64], place: Float64Array) -> None:
        """Look for the nearest neighbours; frames lie far apart along a third axis, so that one tree holds all."""
        height = 4 * self.reach_nm * (frame - frame[0])[:, None]
        tree = cKDTree(np.column_stack((place, height)), balanced_tree=False, compact_nodes=False)
        later = np.column_stack((place, height + 4 * self.reach_nm * self._apart))
        distance = np.asarray(tree.query(later, distance_upper_bound=self.reach_nm)[0])
        self.counts += np.histogram(distance, BINS, (0, self.reach_nm))[0]

    def precision_nm(self) -> float | None:
        """Return s, None where too few molecules are seen in two frames."""
        return fit(self.counts, self.reach_nm)


def fit(counts: NDArray[np.int64], reach_nm: float) -> float | None:
    """Fit the distribution to a histogram of distances from 0 to `reach_nm`; return s in nm, or None."""
    if counts.sum() < LEAST_PAIRS:
        return None
    edges = np.linspace(0, reach_nm, len(counts) + 1)
    distance, width = (edges[1:] + edges[:-1]) / 2, edges[1]
    seen = counts.astype(np.float64)
    start = _start(seen, distance, width)
    if start is None:
        return None
    noise = np.sqrt(np.maximum(_smooth(seen), 1.0))
    bounds = (
        [width / 4, 0, 0, 0, width, 0],
        [reach_nm / 4, np.inf, np.inf, reach_nm, reach_nm, np.inf],
    )

    def misfit(p: Float64Array) -> Float64Array:
        return (_model(p, distance, width) - seen) / noise

    found = least_squares(misfit, start, bounds=bounds, x_scale=np.maximum(np.abs(start), [1, 1, 1, 1, 1, 1e-6]))
    s, same, near, centre, spread, others = found.x.tolist()
    by_chance = _model((s, 0.0, near, centre, spread, others), distance, width)[distance < 4 * s].sum()
    clear = same >= LEAST_PAIRS and same >= CLEAR * np.sqrt(same + by_chance)
    return float(s) if clear and isfinite(s) else None


def _model(p: tuple[float, ...] | Float64Array, distance: Float64Array, width: float) -> Float64Array:
    """Return how many distances fall into each bin."""
    s, same, near, centre, spread, others = p
    neighbours = np.exp(-0.5 * ((distance - centre) / spread) ** 2) / (np.sqrt(2 * np.pi) * spread)
    total: Float64Array = width * (same * _same(s, distance) + near * neighbours + others * distance)
    return total


def _same(s: float, distance: Float64Array) -> Float64Array:
    density: Float64Array = distance / (2 * s**2) * np.exp(-((distance / (2 * s)) ** 2))
    return density


def _start(seen: Float64Array, distance: Float64Array, width: float) -> Float64Array | None:
    """Return where the fit begins: the best of some s, without near neighbours."""
    noise = np.sqrt(np.maximum(_smooth(seen), 1.0))
    best, found = np.inf, None
    for s in np.geomspace(width, distance[-1] / 5, STARTS):
        shapes = width * np.column_stack((_same(s, distance), distance))
        (same, others), misfit = nnls(shapes / noise[:, None], seen / noise)
        if misfit < best and same > 0:
            best, found = misfit, np.array([s, same, 0.01 * same, 4 * s, s, others])
    return found


def _smooth(seen: Float64Array) -> Float64Array:
    """Return the counts averaged over five bins: what they scatter about."""
    return np.convolve(np.pad(seen, 2, "edge"), np.full(5, 0.2), "valid")
