"""Frames that are the one before once more: a driver or a link that sends its buffer twice."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.guard.verdict import Finding, Word

ROWS = 4
REMEMBERED_FRAMES = 1000.0
MANY = 0.05


class RepeatedFrames:
    """Compares each frame with the one before: some rows of it, and the whole where they are the same."""

    def __init__(self) -> None:
        self._share, self.ever = 0.0, 0

    def take(self, pixels: NDArray[np.uint16]) -> None:
        """Take the frames of a batch, and the one before (t, y, x)."""
        rows = pixels[:, :: -(-pixels.shape[1] // ROWS)]
        same = np.flatnonzero((rows[1:] == rows[:-1]).all(axis=(1, 2)))
        repeated = sum(bool(np.array_equal(pixels[k], pixels[k + 1])) for k in same)
        self.ever += repeated
        kept = np.exp(-(len(pixels) - 1) / REMEMBERED_FRAMES)
        self._share = float(kept * self._share + repeated / REMEMBERED_FRAMES)

    def findings(self) -> list[Finding]:
        """Say how many there were lately; one is forgotten after some thousand frames."""
        if self._share < 0.1 / REMEMBERED_FRAMES:
            return []
        word: Word = "outside" if self._share > MANY else "drifting"
        return [Finding(
            "repeated frames", word,
            f"{self.ever} frames are the one before once more, to the last count: {self._share:.2g} of the last frames",
            "check the camera's driver and its link: such frames count molecules twice",
            self._share * REMEMBERED_FRAMES, {"share": self._share, "frames": float(self.ever)},
        )]  # fmt: skip
