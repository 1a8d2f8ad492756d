"""Thousands of emitters into frames: spots at sub-pixel positions, added up at their places."""

from __future__ import annotations

import numpy as np
from array_api_compat import array_namespace, device, is_numpy_array

from models.optics.arrays import Array
from models.optics.spot import Spot

CHUNK = 1024
"""Emitters whose windows are held at once."""


def render(spot: Spot, position_nm: Array, photons: Array, frame: Array, shape: tuple[int, int, int]) -> Array:
    """Return the expected photons of all emitters in their frames.

    Parameters
    ----------
    spot : Spot
    position_nm : (n, 3) float
        x and y from the outer corner of pixel (0, 0), z from the focal plane of the spot.
    photons : (n,) float
    frame : (n,) int
        Index of the frame that each emitter is in, from 0.
    shape : (t, y, x)

    Returns
    -------
    (t, y, x) float
        In the precision of `position_nm`. What lies outside the frames is cut off.
    """
    xp, reach = array_namespace(position_nm), spot.size_px // 2
    t, height, width = shape
    pad = 2 * reach  # an emitter may sit half a window outside, and its window reaches as far again
    padded = (t, height + 2 * pad, width + 2 * pad)
    pixel = xp.floor(position_nm[:, :2] / spot.pixel_size_nm)
    farthest = xp.asarray([width + reach, height + reach], device=device(pixel))
    inside = xp.all((pixel >= -reach) & (pixel < farthest), axis=1)
    position_nm, photons, frame, pixel = (values[inside] for values in (position_nm, photons, frame, pixel))
    offset = position_nm[:, :2] - (pixel + 0.5) * spot.pixel_size_nm
    local = xp.concat((offset, position_nm[:, 2:]), axis=1)
    column, row = (xp.astype(pixel[:, k], frame.dtype) + pad - reach for k in range(2))
    corner = (frame * padded[1] + row) * padded[2] + column
    canvas = xp.zeros(padded[0] * padded[1] * padded[2], dtype=position_nm.dtype, device=device(position_nm))
    window = _window(spot.size_px, padded[2], frame)
    for at in range(0, len(local), CHUNK):
        cut = slice(at, at + CHUNK)
        light = spot(local[cut]) * photons[cut, None, None]
        canvas = _scatter(canvas, corner[cut, None] + window, light)
    return xp.reshape(canvas, padded)[:, pad : pad + height, pad : pad + width]


def _window(size: int, width: int, like: Array) -> Array:
    """Return the places of a window's pixels from its corner, in the flat canvas."""
    places = np.arange(size)[:, None] * width + np.arange(size)
    return array_namespace(like).asarray(places.ravel(), device=device(like))


def _scatter(canvas: Array, places: Array, light: Array) -> Array:
    """Add (n, y, x) light at (n, pixels) places; the two libraries have no common word for it."""
    if is_numpy_array(canvas):
        np.add.at(canvas, places.ravel(), light.ravel())
        return canvas
    return canvas.index_add_(0, places.reshape(-1), light.reshape(-1))
