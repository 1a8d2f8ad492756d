"""Background under candidates, as `[background]` of rig.toml asks for it: from borders, or averaged over time.

Decision: the average is an exponential one of what is left of the frames when the localizer's spots are taken away,
each pixel weighted by how little light it had to lose, clipped at three standard deviations, smoothed over a spot's
core. Context: a median of few photo-electrons is a whole number, and sorting frames costs a tenth of the localizer's
time; what the spots' model gets wrong would add up under molecules that stay on. Consequence: under such molecules the
average says what is around them, and a fourth of the frames is enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from models.backgrounds.crops import border_median, cut
from models.localizations import Localizations
from models.refining.joint import window_corners
from models.refining.light import light_of
from models.refining.refine import Optics, candidates_of, xy_px

Float32 = NDArray[np.float32]
STRIDE_FRAMES = 4
"""One frame of so many is averaged."""
EARLY, REFRESH = 8, 8
"""So many first frames are seen at once; later so many wait until the picture is drawn anew."""
MODEL_ERROR = 0.2
"""Part of its light by which a spot may be wrong."""
CLIP_SIGMAS = 3.0
SMOOTH_PX = 1.5
LEAST_LEVEL = 0.1


class Backgrounds(Protocol):
    """Says what is under candidates that is not theirs."""

    optics: Optics
    """What candidates look like; whoever learns it better may replace the spot by one of the same window."""

    @property
    def picture(self) -> Float32 | None:
        """Background (y, x) of the whole frame, photo-electrons per pixel; None where there is no such picture."""

    def under(self, frames: Sequence[Float32], tables: Sequence[Localizations]) -> list[Float32]:
        """Return the background (n, window, window) in the windows of each frame's candidates.

        Parameters
        ----------
        frames : sequence of (y, x) float32
            Counts, photo-electrons / F**2, in the order in which they were taken; each is given once.
        tables : sequence of Localizations
            What the localizer says of each.

        Returns
        -------
        list of (n, window, window) float32
            Counts per pixel, at the places that `models.refining.joint.window_corners` gives.
        """


class Borders:
    """A flat background: the median of the window's outermost pixels.

    Parameters
    ----------
    optics : Optics
    """

    picture = None

    def __init__(self, optics: Optics) -> None:
        self.optics = optics

    def under(self, frames: Sequence[Float32], tables: Sequence[Localizations]) -> list[Float32]:
        """Return constant windows; axes and units as `Backgrounds.under`."""
        windows = [windows_of(frame, table, self.optics) for frame, table in zip(frames, tables, strict=True)]
        return [np.broadcast_to(border_median(window)[:, None, None], window.shape) for window in windows]


class RunningAverage:
    """An average of the frames without their spots.

    Parameters
    ----------
    optics : Optics
        The spot that is taken away; in focus of the width that it states.
    shape : (int, int)
        Rows and columns of the frames.
    time_constant_frames : float
        A frame's weight falls to 1/e within so many.
    """

    def __init__(self, optics: Optics, shape: tuple[int, int], time_constant_frames: float) -> None:
        self.optics, self._seen = optics, 0
        camera = optics.camera
        self._noise = np.broadcast_to(np.asarray(camera.variance_e2 / camera.excess**2, np.float32), shape)
        self._keep = np.float32(np.exp(-STRIDE_FRAMES / time_constant_frames))
        self._sum, self._weight = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        self._map: Float32 | None = None

    @property
    def picture(self) -> Float32 | None:
        """Background (y, x), photo-electrons per pixel; None before the first frame."""
        return None if self._map is None else self._map * np.float32(self.optics.camera.excess)

    def under(self, frames: Sequence[Float32], tables: Sequence[Localizations]) -> list[Float32]:
        """Average the frames and return the windows; axes and units as `Backgrounds.under`."""
        found = []
        for frame, table in zip(frames, tables, strict=True):
            self._take(frame, table)
            assert self._map is not None, "the first frame is always averaged"
            found.append(windows_of(self._map, table, self.optics))
        return found

    def _take(self, counts: Float32, table: Localizations) -> None:
        number, left = divmod(self._seen, STRIDE_FRAMES)
        self._seen += 1
        if left:
            return
        self._add(counts, table)
        if number < EARLY or number % REFRESH == 0:
            weight = gaussian_filter(self._weight, SMOOTH_PX, mode="nearest", truncate=3)
            smooth = gaussian_filter(self._sum, SMOOTH_PX, mode="nearest", truncate=3) / np.maximum(weight, 1e-9)
            self._map = np.maximum(smooth, 0)

    def _add(self, counts: Float32, table: Localizations) -> None:
        """Add a frame without its spots; a pixel counts by its background's part of all that makes it uncertain."""
        found = candidates_of(table, np.zeros(len(table), np.int64), self.optics)
        light = light_of(self.optics.spot, found.position, found.photons, counts.shape)
        before = np.float32(np.median(counts)) if self._map is None else self._map
        level = np.maximum(before, np.float32(LEAST_LEVEL)) + self._noise
        spread = level + light + np.square(np.float32(MODEL_ERROR) * light)
        rest = counts - light
        if self._map is not None:
            reach = np.float32(CLIP_SIGMAS) * np.sqrt(spread)
            rest = np.clip(rest, self._map - reach, self._map + reach)
        weight = level / spread
        self._sum = self._keep * self._sum + weight * rest
        self._weight = self._keep * self._weight + weight


def windows_of(image: Float32, table: Localizations, optics: Optics) -> Float32:
    """Return an image (y, x) in the windows of candidates, (n, window, window)."""
    size = optics.spot.window_px
    corner = window_corners(xy_px(table, optics.spot.pixel_size_nm), size)
    return cut(image[None], np.zeros(len(table), np.int64), corner, size)
