"""What is published: topics, headers and payloads, and how they are packed.

| topic | payload | header adds |
|---|---|---|
| `start`, `end` | none | rig, card, versions; totals of the ledger |
| `table` | Arrow IPC stream of one record batch; none where frames were skipped | first, last; skipped (the reason) |
| `tile` | float32 (y, x), zlib | shape, level, row, column, origin_nm, pixel_nm |
| `frame` | uint16 (y, x) | shape, index, camera_time_s, host_time_s |
| `phase` | float32 (27,) waves | psf_epoch, sigma, source, rms_error_waves |
| `guard`, `drift`, `health` | none | all in the header |

A message has three parts: topic, JSON header `{version, run_id, sequence, ...}`, payload. `sequence` counts per topic.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.localizations import Localizations
from stream.errors import AddressError, FrameFormatError
from stream.tiles import Float32Array, Tile

VERSION = 1
TOPICS = ("start", "end", "table", "tile", "frame", "phase", "guard", "drift", "health")
MAX_PIXELS = 1 << 28

Payload = Localizations | Tile | NDArray[np.generic] | None


@dataclass(frozen=True, slots=True)
class Message:
    """One published message, unpacked.

    Parameters
    ----------
    topic : str
        One of TOPICS.
    header : dict
        At least `version`, `run_id` and `sequence`.
    payload : Localizations, Tile, array or None
        `table`, `tile`, and the (y, x) uint16 pixels of `frame` or the (27,) float32 waves of `phase`; else None.
    """

    topic: str
    header: dict[str, Any]
    payload: Payload


def pack_header(header: Mapping[str, Any]) -> bytes:
    """Return the header as JSON, UTF-8; numbers that are not finite become null, which JSON can say."""
    return json.dumps(_finite(header), allow_nan=False, separators=(",", ":")).encode()


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def pack_tile(tile: Tile) -> tuple[dict[str, Any], bytes]:
    """Return what a tile adds to the header, and its payload."""
    # Runs of zeros are all that compresses well in a density; looking for more takes three times as long.
    packer = zlib.compressobj(level=1, strategy=zlib.Z_RLE)
    payload = packer.compress(tile.values.astype("<f4", copy=False).tobytes()) + packer.flush()
    place = {"level": tile.level, "row": tile.row, "column": tile.column}
    return {**place, "origin_nm": tile.origin_nm, "pixel_nm": tile.pixel_nm, "shape": tile.values.shape}, payload


def unpack_header(raw: bytes) -> dict[str, Any]:
    """Return a header.

    Raises
    ------
    FrameFormatError
        Not a JSON object with `run_id` and `sequence`.
    AddressError
        Whoever publishes there speaks another version.
    """
    try:
        header = json.loads(raw)
    except ValueError as error:
        raise FrameFormatError(f"{raw[:80]!r} is not a header: {error}", limit="a header is JSON, UTF-8") from error
    version = header.get("version") if isinstance(header, dict) else None
    if version != VERSION:
        raise AddressError(
            f"the publisher speaks version {version!r}",
            limit=f"this program understands version {VERSION}",
            remedy="install the same release of livesmlm on both sides",
        )
    return dict(header)


def unpack(parts: Sequence[bytes]) -> Message:
    """Unpack a message of three parts.

    Raises
    ------
    FrameFormatError, TableFormatError
        The message is not what its topic says it is.
    AddressError
        Whoever publishes there speaks another version.
    """
    try:
        topic, raw, payload = parts[0].decode(), parts[1], parts[2]
        header = unpack_header(raw)
        return Message(topic, header, _unpack_payload(topic, header, payload))
    except (LookupError, ValueError, TypeError, zlib.error) as error:
        raise FrameFormatError(
            f"a message with topic {bytes(parts[0][:20])!r} cannot be read: {error!r}",
            limit="three parts: topic, header, payload, as listed in stream/messages.py",
            remedy="check who publishes at this address",
        ) from error


def _unpack_payload(topic: str, header: dict[str, Any], payload: bytes) -> Payload:
    if topic == "table" and payload:
        from stream.arrow import from_ipc  # loads pyarrow, which the settings in rig.toml do not need

        return from_ipc(payload)
    if topic == "tile":
        return _unpack_tile(header, payload)
    if topic == "frame":
        return np.frombuffer(payload, "<u2").reshape(header["shape"])
    if topic == "phase":
        return np.frombuffer(payload, "<f4")
    return None


def _unpack_tile(header: dict[str, Any], payload: bytes) -> Tile:
    size = 4 * prod(header["shape"])
    if not 0 < size <= 4 * MAX_PIXELS:
        raise ValueError(f"a tile of shape {header['shape']}")
    values: Float32Array = np.frombuffer(zlib.decompressobj().decompress(payload, size), "<f4").reshape(header["shape"])
    x_nm, y_nm = header["origin_nm"]
    return Tile(header["level"], header["row"], header["column"], (x_nm, y_nm), header["pixel_nm"], values)
