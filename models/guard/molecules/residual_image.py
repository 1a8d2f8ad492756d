"""What molecules look like beside what they should look like: means over many of them, by z.

A picture shows at a glance what the sums of `sequential.py` only count: a change that all molecules share adds up,
their noise does not. Each molecule is laid with its place on the middle of a pixel, by linear interpolation, and so is
what was expected of it; that blurs both alike. It counts in units of the standard deviation at its peak, so that one
bright molecule does not outweigh all others, and no pixel counts more than `FARTHEST` of its own, so that a neighbour
that was not found leaves little. The standard errors are those of the molecules' own scatter.

Neighbours give light from outside of the window: some percent of the peak in a sample as dense as the training's. So
what is curved in the mean background is taken out too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.guard.molecules.mean_residual import ENOUGH, KINDS, MeanResidual
from models.guard.molecules.measures import Seen
from models.guard.molecules.sequential import FADING
from models.refining.refine import Optics

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
BINS = 5
"""Of the depth that the spots are known for; odd, so that one lies around the middle."""
MARGIN_PX = 1
"""A molecule may lie so far off the middle of its window; the picture is smaller by as much on each side."""
FARTHEST = 5.0


class ResidualImage:
    """Sums over the molecules that were looked at; such long ago fade as those of the mean deviations do.

    Parameters
    ----------
    optics : Optics
        That they were looked at with.
    """

    def __init__(self, optics: Optics) -> None:
        self._pixel_nm, self._window_px = optics.spot.pixel_size_nm, optics.spot.window_px
        self._bins = BINS if optics.width_nm is None else 1
        edges = np.linspace(*optics.spot.z_nm, self._bins + 1)
        middles = (edges[1:] + edges[:-1]) / 2 if optics.width_nm is None else np.zeros(1)
        self._z_nm = tuple(round(float(z), 1) + 0.0 for z in middles)  # no -0.0
        side = self._window_px - 2 * MARGIN_PX
        self._sums = np.zeros((3, self._bins, side, side))
        self._count = np.zeros(self._bins)

    def take(self, seen: Seen) -> None:
        """Take molecules."""
        usable = np.isfinite(seen.residual).all(1) & (np.abs(seen.off_px) <= MARGIN_PX).all(1)
        deviation, shares = seen.deviation[usable], _shares(seen.off_px[usable])
        peak = deviation.max(1, keepdims=True)
        residual = np.clip(seen.residual[usable], -FARTHEST, FARTHEST) * deviation / peak
        rest, light = (_aligned(part, shares, self._window_px) for part in (residual, seen.light[usable] / peak))
        bins = np.clip((seen.conditions[usable, 2] * self._bins).astype(int), 0, self._bins - 1)
        belongs = (bins == np.arange(self._bins)[:, None]).astype(np.float32)
        fade = (1 - 1 / FADING) ** len(residual)
        self._count = fade * self._count + belongs.sum(1)
        for sums, part, faded in zip(self._sums, (light, rest, rest**2), (fade, fade, fade**2), strict=True):
            sums *= faded
            sums += np.tensordot(belongs, part, 1)

    def mean(self) -> MeanResidual | None:
        """Return what is known now; None while no bin has enough molecules."""
        known = self._count >= ENOUGH
        if not known.any():
            return None
        light, rest, squares = self._sums
        images = np.full((len(KINDS), *light.shape), np.nan, np.float32)
        peak = light[known].max((1, 2), keepdims=True)
        expected, difference, error = light[known] / peak, rest[known] / peak, np.sqrt(squares[known]) / peak
        difference = np.stack([_without_background(*each) for each in zip(difference, expected, error, strict=True)])
        images[:, known] = np.stack((expected + difference, expected, difference, error))
        return MeanResidual(images, self._z_nm, tuple(round(float(n), 1) for n in self._count), self._pixel_nm)


def _shares(off_px: Float64) -> Float32:
    """Return what the pixels before, at and behind count for y and x of molecules off the middle, (2, 3, n)."""
    steps = np.arange(-1, 2)[:, None]
    return np.stack([np.maximum(0, 1 - np.abs(off - steps)) for off in off_px.T[::-1]]).astype(np.float32)


def _aligned(windows: Float64, shares: Float32, window_px: int) -> Float32:
    """Return windows (n, pixels) with the molecule on the middle of the middle pixel, (n, y, x), without the margin."""
    images, side = windows.astype(np.float32).reshape(-1, window_px, window_px), window_px - 2 * MARGIN_PX
    down, right = shares[..., None, None]
    rows = sum(share * images[:, k : k + side] for k, share in enumerate(down))
    return np.asarray(sum(share * rows[:, :, k : k + side] for k, share in enumerate(right)), np.float32)


def _without_background(difference: Float64, expected: Float64, error: Float64) -> Float64:
    """Return a difference (y, x) without its best parabola, and without the light that stands in for one."""
    along = np.linspace(-1, 1, len(difference))
    y, x = np.meshgrid(along, along, indexing="ij")
    smooth = np.stack((expected, np.ones_like(x), x, y, x * x, x * y, y * y)).reshape(7, -1)
    amounts, *_ = np.linalg.lstsq((smooth / error.ravel()).T, (difference / error).ravel(), rcond=None)
    return difference - (amounts @ smooth).reshape(difference.shape)
