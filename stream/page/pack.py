"""Messages as a browser takes them: JSON text, or `length of the JSON (uint32, little-endian), JSON, pixels`."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream.links.messages import pack_header
from stream.picture.tiles import Tile

PREVIEW_PX, FULL_PX = 512, 2048
"""Camera pictures are binned until the longer side is at most this: beside the picture, and in its place."""
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


def picture(header: Mapping[str, Any], tile: Tile) -> bytes:
    """Return a tile of a picture of its own, whose name is header `layer`: float16 (y, x)."""
    return _binary("picture", header, np.minimum(tile.values, HALF_MAX).astype("<f2"))


def layer(header: Mapping[str, Any], tile: Tile) -> bytes:
    """Return a tile of a layer: uint16 (y, x), 0 at header `low` and 65535 at header `high`."""
    values = tile.values
    low, high = float(values.min()), float(values.max())
    parts = (values - low) * (65535 / (high - low)) if high > low else np.zeros_like(values)
    return _binary("layer", {**header, "low": low, "high": high}, np.rint(parts).astype("<u2"))


def preview(header: Mapping[str, Any], pixels: NDArray[np.generic], max_px: int = PREVIEW_PX) -> bytes:
    """Return a camera frame: uint8 (y, x), binned by means; 0 at header `low_adu`, 255 at header `high_adu`."""
    parts, facts = _scaled(pixels, max_px)
    return _binary("frame", {**header, **facts}, (255 * parts).astype(np.uint8))


def total(header: Mapping[str, Any], pixels: NDArray[np.generic]) -> bytes:
    """Return the sum of all frames, per frame: as a preview, but uint16, since its contrast is changed by hand."""
    parts, facts = _scaled(pixels / max(header["frames"], 1), FULL_PX)
    return _binary("sum", {**header, **facts}, (65535 * parts).astype("<u2"))


def found(header: Mapping[str, Any], positions_nm: NDArray[np.generic]) -> bytes:
    """Return where molecules were found in a frame: float32 (n, 2) x, y in nm."""
    return _binary("found", header, positions_nm.astype("<f4", copy=False))


def _scaled(pixels: NDArray[np.generic], max_px: int) -> tuple[NDArray[np.float32], dict[str, Any]]:
    """Return a binned picture from 0 to 1, and what these are, for the header."""
    small = _binned(pixels, max_px)
    low, high = np.percentile(small, (DARK_PERCENT, BRIGHT_PERCENT)).tolist()
    high = max(high, low + 1)
    parts = np.clip((small - np.float32(low)) / np.float32(high - low), 0, 1)
    return parts, {"shape": parts.shape, "binned_px": _step(pixels, max_px), "low_adu": low, "high_adu": high}


def _step(pixels: NDArray[np.generic], max_px: int) -> int:
    return int(-(-max(pixels.shape) // max_px))


def psf(header: Mapping[str, Any], images: NDArray[np.generic]) -> bytes:
    """Return the PSF: float32 (z, y, x), share of the collected photons on each pixel."""
    return _binary("psf", header, images.astype("<f4", copy=False))


def residual(header: Mapping[str, Any], images: NDArray[np.generic]) -> bytes:
    """Return the mean molecule: float32 (4, z, y, x), shares of the expected peak."""
    return _binary("residual", header, images.astype("<f4", copy=False))


def _binned(pixels: NDArray[np.generic], max_px: int) -> NDArray[np.float32]:
    """Return means over squares; rows and columns that do not fill one are left out."""
    step = _step(pixels, max_px)
    rows, columns = (max(1, side // step) for side in pixels.shape)
    height, width = (min(step, side) for side in pixels.shape)
    whole = pixels[: rows * height, : columns * width].astype(np.float32)
    means: NDArray[np.float32] = whole.reshape(rows, height, columns, width).mean(axis=(1, 3))
    return means


def _binary(topic: str, header: Mapping[str, Any], pixels: NDArray[np.generic]) -> bytes:
    packed = pack_header({**header, "topic": topic})
    return struct.pack("<I", len(packed)) + packed + pixels.tobytes()
