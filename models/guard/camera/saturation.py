"""Molecules with pixels at the top of the converter, or of the full well."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from models.camera import Camera
from models.guard.camera.places import Places
from models.guard.cusum import Share
from models.guard.verdict import Finding, Word

MOLECULES = 256
"""Of a batch that are looked at."""
REMEMBERED_BATCHES = 32
USUAL, UNUSUAL, MANY = 0.002, 0.02, 0.1
PILED, PILED_SHARE, NEAR = 10, 0.3, 0.9
"""A brightest count that so many molecules share, a third of those that come near it, is a limit that is not stated."""


class Saturation:
    """Looks at the 3 x 3 pixels of molecules.

    Parameters
    ----------
    camera : Camera
    shape : (y, x)
    tests : int
        That share one false alarm in ten hours.
    """

    def __init__(self, camera: Camera, shape: tuple[int, int], tests: int) -> None:
        self._top = np.broadcast_to(np.asarray(camera.saturation_adu, np.float64), shape)
        self._share, self._bits = Share(USUAL, UNUSUAL, tests), camera.bit_depth
        self._highest: deque[NDArray[np.uint16]] = deque(maxlen=REMEMBERED_BATCHES)

    def take(self, pixels: NDArray[np.uint16], places: Places) -> None:
        """Take a batch (t, y, x)."""
        chosen = slice(None, None, max(1, -(-len(places.row) // MOLECULES)))
        around = np.arange(-1, 2)
        rows = np.clip(places.row[chosen, None] + around, 0, pixels.shape[1] - 1)[:, :, None]
        columns = np.clip(places.column[chosen, None] + around, 0, pixels.shape[2] - 1)[:, None, :]
        windows = pixels[places.frame[chosen, None, None], rows, columns]
        full = (windows >= self._top[rows, columns]).any(axis=(1, 2))
        self._share.count(int(full.sum()), len(full))
        self._highest.append(windows.max(axis=(1, 2), initial=0))

    def findings(self) -> list[Finding]:
        """Say how many molecules are cut off at the top."""
        if self._share.raised:
            return [_said(self._share.share, float(np.median(self._top)), "the top of the camera's counts")]
        highest = np.concatenate(self._highest) if self._highest else np.zeros(0, np.uint16)
        top = int(highest.max(initial=0))
        at, near = int((highest == top).sum()), int((highest > NEAR * top).sum())
        if at < PILED or at < PILED_SHARE * near:
            return []
        limit = f"a limit that {self._bits} bits do not have: check [camera] bit_depth"
        return [_said(at / len(highest), float(top), limit)]


def _said(share: float, top_adu: float, limit: str) -> Finding:
    word: Word = "outside" if share > MANY else "drifting"
    return Finding(
        "saturation", word, f"{share:.1%} of the molecules have pixels at {top_adu:.0f} ADU, {limit}",
        "less EM gain, shorter exposure or less excitation; photons and positions of these molecules are wrong",
        share / USUAL, {"share": share, "top_adu": top_adu},
    )  # fmt: skip
