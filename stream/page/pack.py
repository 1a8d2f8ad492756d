"""Messages as a browser takes them: JSON text, or `length of the JSON (uint32, little-endian), JSON, pixels`."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream.links.messages import pack_header
from stream.picture.tiles import Tile

PREVIEW_PX = 512
"""A preview is binned until its longer side is at most this."""
DARK_PERCENT, BRIGHT_PERCENT = 1.0, 99.8
HALF_MAX = 65504.0


def text(topic: str, content: Mapping[str, Any]) -> str:
    """Return a message without pixels."""
    return pack_header({**content, "topic": topic}).decode()


def tile(header: Mapping[str, Any], tile: Tile) -> bytes:
    """Return a tile: float16 (y, x), localizations per pixel.

    Decision: half floats. Context: their step is 0.05 % of the value at any brightness, so that a bead does not coarsen
    a filament, and their bits are indices of a colour table. Consequence: half the bytes, no decoding in the browser.
    """
    return _binary("tile", header, np.minimum(tile.values, HALF_MAX).astype("<f2"))


def preview(header: Mapping[str, Any], pixels: NDArray[np.generic]) -> bytes:
    """Return a camera frame: uint8 (y, x), binned by means; 0 at header `low_adu`, 255 at header `high_adu`."""
    small = _binned(pixels)
    low, high = np.percentile(small, (DARK_PERCENT, BRIGHT_PERCENT)).tolist()
    high = max(high, low + 1)
    grey = np.clip((small - low) * (255 / (high - low)), 0, 255).astype(np.uint8)
    return _binary("frame", {**header, "shape": grey.shape, "low_adu": low, "high_adu": high}, grey)


def psf(header: Mapping[str, Any], images: NDArray[np.generic]) -> bytes:
    """Return the PSF: float32 (z, y, x), share of the collected photons on each pixel."""
    return _binary("psf", header, images.astype("<f4", copy=False))


def _binned(pixels: NDArray[np.generic]) -> NDArray[np.float32]:
    """Return means over squares; rows and columns that do not fill one are left out."""
    step = -(-max(pixels.shape) // PREVIEW_PX)
    rows, columns = (max(1, side // step) for side in pixels.shape)
    height, width = (min(step, side) for side in pixels.shape)
    whole = pixels[: rows * height, : columns * width].astype(np.float32)
    means: NDArray[np.float32] = whole.reshape(rows, height, columns, width).mean(axis=(1, 3))
    return means


def _binary(topic: str, header: Mapping[str, Any], pixels: NDArray[np.generic]) -> bytes:
    packed = pack_header({**header, "topic": topic})
    return struct.pack("<I", len(packed)) + packed + pixels.tobytes()
