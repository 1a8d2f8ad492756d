"""Traces in bounded memory: when it is full, two samples become their mean, and each stands for twice the frames.

Decision: halving, not forgetting. Context: steps at the start of a trace count as much as those at its end, and a run
has no stated length. Consequence: a long trace has coarser time and less noise; steps within one sample become one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]


class TraceRecord:
    """Keeps the light of spots over time.

    Parameters
    ----------
    spots : int
    most : int
        Samples that are kept; even.

    Attributes
    ----------
    frames_per_sample : int
        Measured frames that each sample is the mean of; frames that were not measured are in none.
    """

    def __init__(self, spots: int, most: int) -> None:
        self._most, self._samples, self._pending, self.frames_per_sample = most, 0, 0, 1
        self._light, self._variance = (np.zeros((spots, most), np.float32) for _ in range(2))
        self._frame = np.zeros(most)
        self._sums = np.zeros((2, spots))
        self._frame_sum = 0.0

    def __len__(self) -> int:
        return self._samples

    @property
    def light_e(self) -> NDArray[np.float32]:
        """Photo-electrons per frame, (n, samples)."""
        return self._light[:, : self._samples]

    @property
    def sigma_e(self) -> NDArray[np.float32]:
        """Standard deviation of these, (n, samples)."""
        return np.sqrt(self._variance[:, : self._samples])

    @property
    def frame(self) -> Float64:
        """Mean index of each sample's frames, (samples,)."""
        return self._frame[: self._samples]

    def add(self, light: Float64, variance: Float64, index: NDArray[np.int64]) -> None:
        """Take measured frames: light and its variance (t, n), and the frames' indices (t,)."""
        for row, frame in enumerate(index.tolist()):
            self._sums += (light[row], variance[row])
            self._frame_sum += frame
            self._pending += 1
            if self._pending == self.frames_per_sample:
                self._close()

    def _close(self) -> None:
        """Make a sample of what was added up."""
        each, at = self.frames_per_sample, self._samples
        self._light[:, at], self._variance[:, at] = self._sums[0] / each, self._sums[1] / each**2
        self._frame[at] = self._frame_sum / each
        self._sums[:], self._frame_sum, self._pending, self._samples = 0, 0.0, 0, at + 1
        if self._samples == self._most:
            self._halve()

    def _halve(self) -> None:
        half = self._most // 2
        self._light[:, :half] = (self._light[:, ::2] + self._light[:, 1::2]) / 2
        self._variance[:, :half] = (self._variance[:, ::2] + self._variance[:, 1::2]) / 4
        self._frame[:half] = (self._frame[::2] + self._frame[1::2]) / 2
        self._samples, self.frames_per_sample = half, 2 * self.frames_per_sample
