"""Density -> colour, the same in the written picture and in the live page (`stream/page/static/colours.js`).

`part = min(density / white, 1) ** GAMMA`; the colour is interpolated between STOPS. `white` is the density that is
shown white: the WHITE_PERCENTILE of the pixels above zero.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream.picture.tiles import Float32Array

GAMMA = 0.7
WHITE_PERCENTILE = 99.5
STOPS = (
    (0.00, 0, 0, 0),
    (0.22, 88, 12, 14),
    (0.45, 190, 42, 18),
    (0.68, 245, 132, 32),
    (0.86, 255, 214, 110),
    (1.00, 255, 255, 245),
)
"""Part of white, red, green, blue."""
STEPS = 4096


def white_point(density: Float32Array) -> float:
    """Return the density that is shown white; 1 for an empty image.

    Parameters
    ----------
    density : (y, x) float32
        Localizations per pixel.
    """
    occupied = density[density > 0]
    return float(np.percentile(occupied, WHITE_PERCENTILE)) if occupied.size else 1.0


def hot(density: Float32Array, white: float) -> NDArray[np.uint8]:
    """Return the colours of a density.

    Parameters
    ----------
    density : (y, x) float32
        Localizations per pixel.
    white : float
        Density that is shown white.

    Returns
    -------
    (y, x, 3) uint8
        Red, green, blue.
    """
    at, *channels = np.array(STOPS).T
    parts = np.linspace(0, 1, STEPS) ** GAMMA
    table = np.stack([np.interp(parts, at, channel) for channel in channels], axis=-1).round().astype(np.uint8)
    step: NDArray[np.intp] = np.rint(np.clip(density / np.float32(white), 0, 1) * np.float32(STEPS - 1)).astype(np.intp)
    return table[step]
