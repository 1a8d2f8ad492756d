"""Fit all candidates of some frames together, each with the frames before and after in which it was seen too."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from models.refining import steps, windows
from models.refining.candidates import Candidates, Fitted, Options
from models.refining.neighbours import crowded, same_emitter
from models.refining.spline import EXTRA, REACH_PX, SplineSpot

Float64 = NDArray[np.float64]
Float32 = NDArray[np.float32]
CHUNK = 64
"""Emitters that a thread takes at once."""
STILL = 0.05
"""An emitter that moved by less than this part of the candidate's uncertainty is done."""


def fit(
    counts: Float32, variance: Float32, spot: SplineSpot, candidates: Candidates, chosen: NDArray[np.bool_],
    options: Options,
) -> Fitted:  # fmt: skip
    """Fit the chosen candidates; the others give their light as it is.

    Parameters
    ----------
    counts : (t, y, x) float32
        Photo-electrons / F**2.
    variance : (y, x) float32
        Of the read noise, in the same unit squared.
    spot : SplineSpot
    candidates : Candidates
    chosen : (n,) bool
    options : Options
    """
    return _Fit(counts, variance, spot, candidates, chosen, options).run()


def compile_for(spot: SplineSpot) -> None:
    """Fit one dark spot, so that the first real ones do not wait for the compiler."""
    side = spot.window_px + 2
    middle = np.array([[side / 2, side / 2, sum(spot.z_nm) / 2]])
    one = Candidates(np.zeros(1, np.int64), middle, np.ones((1, 3)), np.ones(1), np.ones(1))
    dark = np.ones((1, side, side), np.float32)
    fit(dark, dark[0], spot, one, np.ones(1, bool), Options())


def window_corners(xy_px: Float64, window_px: int) -> NDArray[np.int64]:
    """Return row and column (n, 2) of the first pixel of the windows around x, y (n, 2)."""
    return np.asarray(np.floor(xy_px[:, ::-1]).astype(np.int64) - window_px // 2)


class _Fit:
    """State of the fits; arrays in the order that the compiled steps take them."""

    def __init__(
        self, counts: Float32, variance: Float32, spot: SplineSpot, candidates: Candidates,
        chosen: NDArray[np.bool_], options: Options,
    ) -> None:  # fmt: skip
        n, window, c = len(candidates.frame), spot.window_px, candidates
        self._spot, self._options, self._rows = spot, options, np.flatnonzero(chosen)
        self._all = np.arange(n)
        self._start = self._position = self._inside(c.position)
        self._corner = window_corners(self._position[:, :2], window)
        links = same_emitter(c.frame, c.position[:, :2], c.sigma[:, :2])
        if not options.frames:
            links[:, ::2] = -1
        self._crowd = crowded(c.frame, c.position[:, :2], links, window) & options.neighbours
        light = np.where(links >= 0, c.photons[links], 0.0), np.where(links >= 0, c.background[links], 0.0)
        self._photons, self._background = (np.maximum(values, steps.LEAST_LIGHT) for values in light)
        self._images = np.zeros((n, 4, window, window + EXTRA), np.float32)
        self._light, self._frame, self._links = np.zeros_like(counts), c.frame, links
        self._pixels = np.empty((n, 3, 2, window, window + EXTRA), np.float32)
        self._share(self._rows, lambda part: windows.cut(
            part, counts, variance, self._frame, self._corner, self._links, self._pixels
        ))  # fmt: skip
        if c.structure is not None:
            self._expect(c.structure[self._rows])
        level = self._background.copy()
        self._known = level, 1 / (options.background_prior * level + 0.1) ** 2
        widths = np.where(self._crowd.any(1), options.crowded_prior, options.prior)[:, None]
        self._center = self._start.copy(), 1 / (widths * c.sigma) ** 2
        self._sigma, self._limits = c.sigma, self._reach()

    def run(self) -> Fitted:
        before, verdict = (np.full((len(self._all), 6), np.nan) for _ in range(2))
        self._draw(self._all)
        active = self._rows
        for number in range(self._options.rounds):
            self._gather()
            if not number:
                self._judge(before)
            moved = self._step(active)
            far = np.abs(moved[active, :3] - self._position[active]) > STILL * self._sigma[active]
            parts = (np.ascontiguousarray(part) for part in np.split(moved, 3, axis=1))
            self._position, self._photons, self._background = parts
            self._draw(active)
            active = active[far.any(1)]
            if not len(active):
                break
        self._gather()
        self._judge(verdict)
        sigma = np.sqrt(verdict[:, :4])
        return Fitted(
            self._position, sigma[:, :3], self._photons[:, 1], sigma[:, 3], self._background[:, 1],
            verdict[:, 4] / verdict[:, 5], before[:, 4] / before[:, 5], verdict[:, 5],
        )  # fmt: skip

    def _expect(self, structure: Float32) -> None:
        """Take light that is known from the counts and let its noise stay: the same likelihood, at no cost a round."""
        sign = np.array([-1, 1], np.float32)[:, None, None]
        self._pixels[self._rows, ..., : structure.shape[2]] += sign * structure[:, None, None]

    def _inside(self, position: Float64) -> Float64:
        clipped = np.array(position, np.float64)
        low, high = self._spot.z_nm
        clipped[:, 2] = np.clip(clipped[:, 2], low, high)
        return clipped

    def _reach(self) -> Float64:
        """Return the limits (n, 3, 2) of the positions."""
        middle = self._corner[:, ::-1] + self._spot.window_px / 2
        lateral = np.stack((middle - REACH_PX, middle + REACH_PX), axis=2)
        axial = np.broadcast_to(self._spot.z_nm, (len(middle), 1, 2))
        return np.ascontiguousarray(np.concatenate((lateral, axial), axis=1), np.float64)

    @property
    def _arrays(self) -> tuple[NDArray[np.generic], ...]:
        return (self._frame, self._corner, self._links, self._crowd, self._photons, self._background, self._images)

    @property
    def _data(self) -> tuple[Float32, ...]:
        return self._pixels, self._light

    def _draw(self, rows: NDArray[np.int64]) -> None:
        spot = self._spot
        self._share(rows, lambda part: windows.draw(
            part, spot.coefficients, spot.knot_nm, spot.z_nm[0], self._corner, self._position, self._images
        ))  # fmt: skip

    def _gather(self) -> None:
        """Add up the light of all emitters, where some overlap."""
        if self._crowd.any():
            self._light[:] = 0
            windows.shine(self._all, self._frame, self._corner, self._photons, self._images, self._light)

    def _step(self, rows: NDArray[np.int64]) -> Float64:
        moved = np.concatenate((self._position, self._photons, self._background), axis=1)
        self._share(rows, lambda part: steps.step(
            part, self._data, self._arrays, self._known, self._position, self._center, self._limits, moved
        ))  # fmt: skip
        return moved

    def _judge(self, out: Float64) -> None:
        self._share(self._rows, lambda part: steps.judge(part, self._data, self._arrays, self._known, out))

    def _share(self, rows: NDArray[np.int64], work: Callable[[NDArray[np.int64]], None]) -> None:
        """Hand rows to threads; each writes into rows of its own."""
        parts = [rows[first : first + CHUNK] for first in range(0, len(rows), CHUNK)]
        if self._options.threads == 1 or len(parts) < 2:
            for part in parts:
                work(part)
            return
        with ThreadPoolExecutor(self._options.threads) as pool:
            list(pool.map(work, parts))
