"""Where most pairs meet: the maximum of the smoothed histogram of differences, and whether it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from stream.drift.intersections import Counts

Float64 = NDArray[np.float64]
APART = 4.0
"""Smoothing widths from the highest maximum; beyond, another one is a rival."""
RIVAL = 1.3
"""So many times the rival's height a maximum must have."""
MARGIN = 2.0
"""Smoothing widths within the edge of the histogram: what peaks there may go on beyond."""
NEAR = 2.0
"""Smoothing widths that maxima of the same place are apart, at most."""
STEPS, SETTLED_NM = 20, 0.01


@dataclass(frozen=True, slots=True)
class Peak:
    """The maximum.

    Parameters
    ----------
    shift_nm : (3,) float64
        x, y, z.
    height : float
        Pairs that meet there, smoothed.
    rival : float
        The highest maximum elsewhere.
    inside : bool
        Not at the edge of the search.
    width_nm : (3,) float64
        Of the smoothing.
    """

    shift_nm: Float64
    height: float
    rival: float
    inside: bool
    width_nm: Float64

    @property
    def is_clear(self) -> bool:
        """Whether there is one place where pairs meet, and no other."""
        return self.inside and self.height > RIVAL * self.rival

    def is_mean_of(self, parts: list[Peak]) -> bool:
        """Whether the maxima of parts, one after another in time, lie on a straight way around this one."""
        at = np.linspace(-1.0, 1.0, len(parts))
        places = np.array([part.shift_nm for part in parts]) - self.shift_nm
        mean = places.mean(0)
        off = places - mean - np.outer(at, at @ places / (at @ at))
        return bool(np.all(np.abs(np.vstack((mean, off))) < NEAR * self.width_nm))


def peak(counts: Counts, reach_nm: tuple[float, float], width_nm: tuple[float, float]) -> Peak:
    """Find where most pairs meet.

    Parameters
    ----------
    counts : (z, y, x) float32
        As `differences` counts them.
    reach_nm, width_nm : (float, float)
        Of the search, and of the smoothing; in x and y, and in z.

    Returns
    -------
    Peak
        The mode of the smoothed density (mean shift: Cheng, IEEE PAMI 17, 790 (1995)), without a grid.
    """
    reach = np.array([reach_nm[0], reach_nm[0], reach_nm[1]])
    cell = 2 * reach / counts.shape[::-1]
    width = np.maximum([width_nm[0], width_nm[0], width_nm[1]], cell)
    sigma = np.divide(width, cell, out=np.zeros(3), where=cell > 0)
    smooth = gaussian_filter(counts, sigma[::-1], mode="constant", truncate=3.0)
    top = np.array(np.unravel_index(int(smooth.argmax()), smooth.shape)[::-1])
    centres = [(np.arange(n) + 0.5) * c - r for n, c, r in zip(counts.shape[::-1], cell, reach, strict=True)]
    start = np.array([axis[k] for axis, k in zip(centres, top, strict=True)])
    shift = _mode(counts, centres, start, width)
    inside = bool(np.all((np.abs(shift) < reach - MARGIN * width) | (reach == 0)))
    return Peak(shift, float(smooth.max()), _elsewhere(smooth, top, APART * sigma), inside, width)


def _elsewhere(smooth: Counts, top: NDArray[np.intp], apart: Float64) -> float:
    """Return the highest value outside the box around the maximum; 0 where nothing is outside."""
    rest = smooth.copy()
    box = tuple(slice(max(0, int(k - d)), int(k + d) + 1) for k, d in zip(top[::-1], apart[::-1], strict=True))
    rest[box] = 0
    return float(rest.max())


def _mode(counts: Counts, centres: list[Float64], start: Float64, width: Float64) -> Float64:
    """Climb from a cell to the mode: each step goes to the mean of the pairs, weighted by the kernel."""
    near = [np.abs(axis - c) <= 2 * APART * w for axis, c, w in zip(centres, start, width, strict=True)]
    counts = counts[np.ix_(*near[::-1])]
    centres = [axis[mask] for axis, mask in zip(centres, near, strict=True)]
    at = start
    for _ in range(STEPS):
        x, y, z = (np.exp(-0.5 * ((axis - c) / w) ** 2) for axis, c, w in zip(centres, at, width, strict=True))
        weighted = counts * (z[:, None, None] * y[:, None] * x)
        sums = weighted.sum((0, 1)), weighted.sum((0, 2)), weighted.sum((1, 2))
        total = max(float(sums[0].sum()), np.finfo(float).tiny)
        before, at = at, np.array([float(s @ axis) / total for s, axis in zip(sums, centres, strict=True)])
        if np.abs(at - before).max() < SETTLED_NM:
            break
    return at
