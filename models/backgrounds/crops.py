"""Crops around emitters: where they lie, how they are cut, and how what is said of them comes back to windows.

A crop has an even side: its centre is a corner between four pixels, the one that is nearest to the emitter. So the
emitter lies within half a pixel of the centre, and no detector's error of less than a pixel pushes it far off.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Int64 = NDArray[np.int64]


def corners(xy_px: NDArray[np.floating], side_px: int) -> Int64:
    """Return row and column (n, 2) of the first pixel of the crops of an even side around x, y (n, 2)."""
    return np.asarray(np.rint(xy_px[:, ::-1]).astype(np.int64) - side_px // 2)


def cut(frames: NDArray[np.floating], frame: Int64, corner: Int64, side_px: int) -> Float32:
    """Return crops (n, side, side) of frames; beyond a frame its last pixels are repeated.

    Parameters
    ----------
    frames : (t, y, x) float
    frame : (n,) int64
        Index into `frames`.
    corner : (n, 2) int64
        Row and column of the first pixel.
    side_px : int
    """
    rows, columns = (np.clip(corner[:, k, None] + np.arange(side_px), 0, frames.shape[1 + k] - 1) for k in range(2))
    return np.asarray(frames[frame[:, None, None], rows[:, :, None], columns[:, None, :]], np.float32)


def border_median(crops: NDArray[np.floating]) -> Float32:
    """Return the median of the outermost pixels (n,) of crops (n, y, x): the usual constant estimate."""
    border = np.ones(crops.shape[1:], bool)
    border[1:-1, 1:-1] = False
    return np.asarray(np.median(crops[:, border], axis=1), np.float32)


def onto_windows(crops: Float32, corner: Int64, window_corner: Int64, window_px: int) -> Float32:
    """Return what crops say on other windows (n, window, window); beyond a crop its last pixels are repeated.

    Parameters
    ----------
    crops : (n, side, side) float32
    corner, window_corner : (n, 2) int64
        Row and column of the first pixel of crops and windows.
    window_px : int
    """
    return cut(crops, np.arange(len(crops)), window_corner - corner, window_px)
