"""Compiled drawing: each localization adds its Gaussian to the density and, weighted by what it carries, to sums."""

from __future__ import annotations

from math import ceil, erf, sqrt

import numpy as np
from numba import njit

from stream.picture.render import REACH_SIGMAS

compiled = njit(cache=True, fastmath=True, nogil=True, error_model="numpy")


@compiled
def draw(spots, quantities, which, field_px, weight, density, sums, touched):  # type: ignore[no-untyped-def]
    """Draw spots, the density and the sums in one pass.

    Parameters
    ----------
    spots : (n, 4) float64
        x, y, sigma_x, sigma_y in pixels of level 0, all inside the field; a sigma of 0 fills one pixel.
    quantities : (n, k) float64
        What the spots carry; the mass of each, times this, is added to the sums.
    which : (k,) int64
        To which of the sums each quantity belongs.
    field_px : (2,) int64
        Height and width of the field.
    weight : float32
        1, or -1 to take out again what was drawn.
    density : (row, column, side, side) float32
        Tiles of level 0, localizations per pixel; changed in place.
    sums : (layer, row, column, side / 2, side / 2) float32
        Tiles of half the resolution; changed in place.
    touched : (row, column) bool
        Set where a tile was drawn on.
    """
    height_px, width_px = field_px
    side = density.shape[2]
    rows, columns = np.empty(side, np.float32), np.empty(side, np.float32)
    half_rows, half_columns = np.empty(side, np.float32), np.empty(side, np.float32)
    for i in range(spots.shape[0]):
        x, y, sigma_x, sigma_y = spots[i]
        reach = ceil(REACH_SIGMAS * max(sigma_x, sigma_y))
        top, bottom = _profile(y, sigma_y, reach, height_px, rows)
        left, right = _profile(x, sigma_x, reach, width_px, columns)
        _add(density, top, bottom, left, right, rows, columns, weight, touched)
        if which.shape[0]:
            _halve(top, bottom, rows, half_rows)
            _halve(left, right, columns, half_columns)
        for k in range(which.shape[0]):
            carried = weight * np.float32(quantities[i, k])
            halved = sums[which[k]]
            _add(halved, top >> 1, bottom >> 1, left >> 1, right >> 1, half_rows, half_columns, carried, touched)


@compiled
def _profile(centre, sigma, reach, length_px, mass):  # type: ignore[no-untyped-def]
    """Integrate a Gaussian over pixels along one axis into `mass`; return the first and the last pixel.

    Decision: what falls beyond the reach or the edge of the field is given to the pixels that remain. Context: the sum
    of the image is the number of localizations. Consequence: spots at the very edge are up to twice as bright per axis.
    """
    middle = int(centre)
    first, last = max(middle - reach, 0), min(middle + reach, length_px - 1)
    if reach == 0:
        mass[0] = 1.0
        return first, last
    scale, total = 1 / (sigma * sqrt(2.0)), 0.0
    below = erf((first - centre) * scale)
    for pixel in range(first, last + 1):
        above = erf((pixel + 1 - centre) * scale)
        mass[pixel - first] = above - below
        total += above - below
        below = above
    for k in range(last - first + 1):
        mass[k] /= total
    return first, last


@compiled
def _halve(first, last, mass, halved):  # type: ignore[no-untyped-def]
    """Sum a profile over pairs of pixels, those that are one pixel at half the resolution."""
    halved[: (last >> 1) - (first >> 1) + 1] = 0
    for pixel in range(first, last + 1):
        halved[(pixel >> 1) - (first >> 1)] += mass[pixel - first]


@compiled
def _add(tiles, top, bottom, left, right, rows, columns, weight, touched):  # type: ignore[no-untyped-def]
    """Add the outer product of two profiles, times a weight, to the tiles it lies on: at most two along each axis."""
    side = tiles.shape[2]
    for tile_row in range(top // side, bottom // side + 1):
        for tile_column in range(left // side, right // side + 1):
            touched[tile_row, tile_column] = True
            tile = tiles[tile_row, tile_column]
            first_y, first_x = tile_row * side, tile_column * side
            for y in range(max(top, first_y), min(bottom, first_y + side - 1) + 1):
                mass = weight * rows[y - top]
                for x in range(max(left, first_x), min(right, first_x + side - 1) + 1):
                    tile[y - first_y, x - first_x] += mass * columns[x - left]
