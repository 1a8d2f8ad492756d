"""Colour maps: computed in OKLab, so that equal steps of a value look equally far apart.

A map is a way through OKLab (Ottosson, "A perceptual color space for image processing", 2020) from knot to knot,
walked in steps of equal length. Maps of densities grow in lightness from black to white. `dusk` has one lightness, and
its blue-yellow axis grows from end to end: brightness is free for the density, and red-green blind eyes can read it.

`part = min(density / white, 1) ** GAMMA`; `white` is the density that is shown white: the WHITE_PERCENTILE of the
pixels above zero.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stream.picture.tiles import Float32Array

GAMMA, LIFT = 0.7, 0.7
"""LIFT: of gamma where colours are of something else, never white, so that they have less brightness to give."""
WHITE_PERCENTILE = 99.5
SHADES = 256
KNOTS = {
    "ember": ((0, 0, 30), (0.27, 0.09, 27), (0.5, 0.17, 33), (0.7, 0.165, 55), (0.87, 0.13, 88), (0.99, 0.02, 105)),
    "ice": ((0, 0, 260), (0.28, 0.1, 268), (0.5, 0.14, 255), (0.7, 0.11, 232), (0.87, 0.07, 205), (0.99, 0.01, 200)),
    "grey": ((0, 0, 0), (1, 0, 0)),
    "dusk": tuple((0.77, 0.115, 270 + turn) for turn in range(0, 181, 15)),
}
"""Lightness from 0 to 1, chroma, hue in degrees."""
DENSITY_MAPS, LAYER_MAP = ("ember", "ice", "grey"), "dusk"
CHANNEL_HUES, CHANNEL_LIGHTNESS, CHANNEL_CHROMA = (150, 335, 245, 95, 40), 0.77, 0.16
"""Of the colours of channels, in degrees; all are equally light. Green and magenta, which everybody tells apart, are
the first two."""
UNTOLD = 0.75
"""Grey of localizations of no channel, from 0 to 1."""
_TO_CONES = np.array(
    [[1, 0.3963377774, 0.2158037573], [1, -0.1055613458, -0.0638541728], [1, -0.0894841775, -1.2914855480]]
)
_TO_LINEAR_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)
"""Ottosson's matrices."""


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
    part = np.clip(density / np.float32(white), 0, 1) ** np.float32(GAMMA)
    shade: NDArray[np.intp] = np.rint(part * (SHADES - 1)).astype(np.intp)
    return colour_map("ember")[shade]


def channel_colours() -> NDArray[np.uint8]:
    """Return the colour of each channel, (CHANNELS, 3) uint8 red, green, blue."""
    hue = np.radians(CHANNEL_HUES)
    lab = np.stack([0 * hue + CHANNEL_LIGHTNESS, CHANNEL_CHROMA * np.cos(hue), CHANNEL_CHROMA * np.sin(hue)], axis=1)
    rgb: NDArray[np.uint8] = np.rint(255 * np.clip(srgb(lab), 0, 1)).astype(np.uint8)
    return rgb


def by_channel(density: Float32Array, white: float, planes: Sequence[Float32Array]) -> NDArray[np.uint8]:
    """Return the colours of a picture whose brightness is the density, and whose colours are mixed by channel.

    Parameters
    ----------
    density : (y, x) float32
    white : float
        Density that is as bright as it gets.
    planes : sequence of (y, x) float32
        Density of each channel, and of what has none.

    Returns
    -------
    (y, x, 3) uint8
        Red, green, blue.
    """
    part = np.clip(density / np.float32(white), 0, 1) ** np.float32(LIFT * GAMMA)
    grey = np.full(3, 255 * UNTOLD, np.float32)
    mixed = np.zeros((*density.shape, 3), np.float32)
    for plane, colour in zip(planes, [*channel_colours()[: len(planes) - 1], grey], strict=True):
        mixed += plane[..., None] * colour.astype(np.float32)
    bright = np.divide(part, density, out=np.zeros_like(part), where=density > 0)
    picture: NDArray[np.uint8] = np.rint(np.clip(mixed * bright[..., None], 0, 255)).astype(np.uint8)
    return picture


def colour_map(name: str) -> NDArray[np.uint8]:
    """Return the colours of a map of KNOTS, (256, 3) uint8 red, green, blue."""
    colours: NDArray[np.uint8] = np.rint(255 * np.clip(srgb(way(name)), 0, 1)).astype(np.uint8)
    return colours


def way(name: str) -> NDArray[np.float64]:
    """Return a map in OKLab, (256, 3) lightness, a, b: steps of equal length from knot to knot."""
    lightness, chroma, hue = np.array(KNOTS[name], float).T
    knots = np.stack([lightness, chroma * np.cos(np.radians(hue)), chroma * np.sin(np.radians(hue))], axis=1)
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(knots, axis=0), axis=1))])
    steps = np.linspace(0, length[-1], SHADES)
    return np.stack([np.interp(steps, length, axis) for axis in knots.T], axis=1)


def srgb(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return OKLab colours (n, 3) as sRGB (IEC 61966-2-1), from 0 to 1 where a screen can show them."""
    linear: NDArray[np.float64] = (lab @ _TO_CONES.T) ** 3 @ _TO_LINEAR_RGB.T
    curved = 1.055 * np.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, 12.92 * linear, curved)
