"""Is the camera what the rig says: its noise against its level, single pixels, repeated frames, the converter's top.

From the running data, in two neighbouring frames of each batch and away from molecules, at most 65,536 pixels of them
at a time. All tests together raise one false alarm in ten hours (`cusum.py`).
"""

from __future__ import annotations

from collections import deque
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.camera import Camera
from models.guard.camera import noise_causes, single_pixels
from models.guard.camera.noise_band import LEAST_CELLS, NoiseBand, Seen
from models.guard.camera.pixel_noise import PixelNoise
from models.guard.camera.places import Places
from models.guard.camera.repeated_frames import RepeatedFrames
from models.guard.camera.saturation import Saturation
from models.guard.camera.transfer_sums import TransferSums
from models.guard.cusum import Mean, OneSided, Share
from models.guard.verdict import Finding, Word

PIXELS_A_LOOK = 65_536
TESTS = 10
REMEMBERED_LOOKS, FEWEST_LOOKS = 128, 8
RATIO_TOLERANCE, SLOPE_TOLERANCE, SHIFT = 0.03, 0.06, 0.04
"""Of variance and slope. Molecules that were not found blink and add up to 2 % (`tests/benchmarks/guard_camera.py`)."""
SCALE_RATE = 0.2
BELOW_USUAL, BELOW_UNUSUAL = 2e-4, 4e-3
STRIPES_TOLERANCE, STRIPES_SHIFT, STRIPES_MANY = 0.5, 0.5, 10.0


class CameraWatch:
    """Watches the camera.

    Parameters
    ----------
    camera : Camera
        Of the rig.
    shape : (y, x)
        Of the frames, at least 4 x 4.
    """

    def __init__(self, camera: Camera, shape: tuple[int, int]) -> None:
        self._camera, noise = camera, PixelNoise.of(camera, shape)
        self._rows = _bands(shape)
        self._columns = slice(0, shape[1] // 2 * 2)
        self._cells = (shape[0] // 2, shape[1] // 2)
        self._bands = [NoiseBand(noise.part(rows, self._columns)) for rows in self._rows]
        self._turn, self._scale = 0, 0.0
        self._ratio, self._slope = Mean(RATIO_TOLERANCE, SHIFT, TESTS), Mean(SLOPE_TOLERANCE, SHIFT, TESTS)
        self._stripes = {name: Mean(STRIPES_TOLERANCE, STRIPES_SHIFT, TESTS) for name in ("rows", "columns")}
        self._striped = dict.fromkeys(self._stripes, 0.0)
        self._below = Share(BELOW_USUAL, BELOW_UNUSUAL, TESTS)
        self._sums: deque[TransferSums] = deque(maxlen=REMEMBERED_LOOKS)
        self._saturation, self._repeated = Saturation(camera, shape, TESTS), RepeatedFrames()
        self._before: tuple[NDArray[np.uint16], Places] | None = None

    def take(self, pixels: NDArray[np.uint16], places: Places) -> None:
        """Take a batch, in frame order.

        Parameters
        ----------
        pixels : (t, y, x) uint16
            ADU; not kept, but for a copy of the last frame.
        places : Places
            The molecules in these frames, all that were found.
        """
        if not len(pixels):
            return
        self._saturation.take(pixels, places)
        frames, found = self._with_before(pixels, places)
        self._repeated.take(frames)
        self._before = pixels[-1:].copy(), places.within(len(pixels) - 1, len(pixels) - 1)
        if len(frames) > 1:
            first = (len(frames) - 1) // 2
            self._look(frames[first : first + 2], found.within(first, first + 1))

    def findings(self) -> list[Finding]:
        """Return what is wrong with the camera now."""
        pixels, noise = single_pixels.findings(self._bands), self._noise()
        if any(one.evidence.get("read_noise", 0) > 1 for one in noise):  # makes pixels loud by itself
            pixels = [one for one in pixels if one.name != "noisy pixels"]
        stripes = [self._stripe(name) for name, test in self._stripes.items() if test.above.raised]
        return [*self._saturation.findings(), *self._repeated.findings(), *pixels, *noise, *stripes]

    def _noise(self) -> list[Finding]:
        """Say what is wrong with gain, offset and read noise."""
        if self._below.raised and np.median(self._bands[0].level_adu) < 0:  # light is not negative: it is the offset
            return [self._too_dark()]
        raised = self._ratio.raised or self._slope.raised
        found = [noise_causes.finding(self._recent(raised), self._camera)] if raised else []
        if self._below.raised and not any(one.evidence.get("read_noise", 0) > 1 for one in found):
            found.append(self._too_dark())
        return found

    def _with_before(self, pixels: NDArray[np.uint16], places: Places) -> tuple[NDArray[np.uint16], Places]:
        """Put the last frame of the batch before in front; a batch of several frames needs it for its rows only."""
        if self._before is None:
            return pixels, places
        last, there = self._before
        joined = Places(
            np.concatenate([0 * there.frame, places.frame + 1]), np.concatenate([there.row, places.row]),
            np.concatenate([there.column, places.column]),
        )  # fmt: skip
        return np.concatenate([last, pixels]), joined

    def _look(self, pair: NDArray[np.uint16], places: Places) -> None:
        rows, band = self._rows[self._turn], self._bands[self._turn]
        self._turn = (self._turn + 1) % len(self._bands)
        cut = pair[:, rows, self._columns]
        if np.array_equal(cut[0], cut[1]):  # a repeated frame says nothing of the noise
            return
        free = places.free_cells(self._cells)[rows.start // 2 : rows.stop // 2]
        seen = band.look(cut, free, self._scale)
        if seen is not None:
            self._add(seen)

    def _add(self, seen: Seen) -> None:
        self._scale = self._scale + SCALE_RATE * (seen.median - self._scale) if self._scale else seen.median
        if seen.sums.cells >= LEAST_CELLS:
            self._ratio.add(*seen.sums.ratio())
            self._slope.add(*seen.sums.slope())
            self._sums.append(seen.sums)
        self._below.count(seen.below, seen.pixels)
        # Molecules that were not found make both flicker alike, a readout only one of them.
        more, error = seen.rows[0] - seen.columns[0], float(np.hypot(seen.rows[1], seen.columns[1]))
        for name, excess in (("rows", more), ("columns", -more)):
            self._stripes[name].add(excess, error)
            self._striped[name] += SCALE_RATE * (excess - self._striped[name])

    def _recent(self, side: OneSided) -> TransferSums:
        """Return the sums since the evidence began, of some looks at least."""
        count = min(max(side.steps, FEWEST_LOOKS), len(self._sums))
        looks = list(self._sums)[-count:]
        return sum(looks[1:], looks[0])

    def _too_dark(self) -> Finding:
        offset = float(np.median(self._camera.offset_adu))
        return Finding(
            "offset", "outside",
            f"offset: {self._below.share:.2g} of the counts lie 4 standard deviations of the read noise and more below "
            f"the {offset:.4g} ADU in [camera]",
            "livesmlm calibrate-camera: the true offset is lower, or the read noise higher",
            self._below.share / BELOW_USUAL, {"share": self._below.share},
        )  # fmt: skip

    def _stripe(self, name: str) -> Finding:
        excess = self._striped[name]
        word: Word = "outside" if excess > STRIPES_MANY else "drifting"
        return Finding(
            f"flickering {name}", word,
            f"{name} flicker: their sums vary more, by {excess:.1f} times the pixels' noise, than the others do",
            "check the camera's readout mode, its supply and cables", excess / STRIPES_TOLERANCE, {"excess": excess},
        )  # fmt: skip


def _bands(shape: tuple[int, int]) -> list[slice]:
    """Return bands of whole cells, each of some 65,536 pixels at most and of about the same height."""
    cells = shape[0] // 2
    count = min(cells, max(1, -(-shape[0] * shape[1] // PIXELS_A_LOOK)))
    edges = np.linspace(0, cells, count + 1).astype(int)
    return [slice(2 * int(low), 2 * int(high)) for low, high in pairwise(edges)]
