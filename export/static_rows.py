"""What goes into a graph of known shapes and what comes out of it, in numpy: bytes of counts, and rows that are filled.

A block of 64 x 64 pixels beyond the edge of a frame has rows too; their probability is 0, as that of all rows unfilled.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

BLOCK_PX = 64
ROWS_PER_BLOCK = 256
"""6 molecules per um^2 at 100 nm pixels, more than any network here separates."""


def as_bytes(frames: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Return (t, y, x) counts as (t, y, x, 2): low byte, high byte; a view where the machine stores them so."""
    little = frames if sys.byteorder == "little" else frames.byteswap()
    return np.ascontiguousarray(little).view(np.uint8).reshape(*frames.shape, 2)


def as_static(feed: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
    """Return the inputs of the one form of a graph as those of the other, by name."""
    frames: NDArray[np.uint16] = feed["frames"].astype(np.uint16, casting="no", copy=False)
    return {**feed, "frames": as_bytes(frames), "valid": np.asarray(len(frames), np.int64)}


def filled(table: NDArray[np.float32], threshold: float) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the frame of each row above the threshold, and these rows.

    Parameters
    ----------
    table : (t, row, column) float32
        Probability in the last column.
    threshold : float

    Returns
    -------
    (k,) int64, (k, column) float32
    """
    frame, row = np.nonzero(table[..., -1] > np.float32(threshold))
    return frame, table[frame, row]
