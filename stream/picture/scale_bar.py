"""A white scale bar with its length, drawn into a picture without a font library."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LENGTHS_NM = [factor * 10**power for power in range(1, 7) for factor in (1, 2, 5)]
PART_OF_WIDTH = 0.2
GLYPHS = {
    "0": "01110 10001 10011 10101 11001 10001 01110",
    "1": "00100 01100 00100 00100 00100 00100 01110",
    "2": "01110 10001 00001 00110 01000 10000 11111",
    "5": "11111 10000 11110 00001 00001 10001 01110",
    "n": "00000 00000 10110 11001 10001 10001 10001",
    "m": "00000 00000 11010 10101 10101 10101 10101",
    "µ": "00000 10001 10001 10001 10011 11101 10000",
    " ": "000 000 000 000 000 000 000",
}


def draw(picture: NDArray[np.uint8], pixel_nm: float) -> None:
    """Draw a scale bar into the lower right corner; nothing where the picture is too small for one.

    Parameters
    ----------
    picture : (y, x, 3) uint8
        Changed in place.
    pixel_nm : float
        Size of its pixels.
    """
    height, width, _ = picture.shape
    length_nm = max((n for n in LENGTHS_NM if n <= PART_OF_WIDTH * width * pixel_nm), default=LENGTHS_NM[0])
    length, unit = round(length_nm / pixel_nm), max(1, min(height, width) // 300)
    label = _label(length_nm).repeat(unit, axis=0).repeat(unit, axis=1)
    margin, gap, thick = 8 * unit, 4 * unit, 3 * unit
    if max(length, label.shape[1]) + 2 * margin > width or label.shape[0] + gap + thick + 2 * margin > height:
        return
    bottom, right = height - margin, width - margin
    picture[bottom - thick : bottom, right - length : right] = 255
    top, left = bottom - thick - gap - label.shape[0], right - (length + label.shape[1]) // 2
    left = min(left, right - label.shape[1])
    picture[top : top + label.shape[0], left : left + label.shape[1]][label] = 255


def _label(length_nm: int) -> NDArray[np.bool_]:
    """Return the length in words, (7, x) bool."""
    text = f"{length_nm // 1000} µm" if length_nm >= 1000 else f"{length_nm} nm"
    glyphs = [[list(row + "0") for row in GLYPHS[letter].split()] for letter in text]
    return np.concatenate([np.array(glyph) == "1" for glyph in glyphs], axis=1)
