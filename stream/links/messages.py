"""What is published: topics, headers and payloads, and how they are packed.

| topic | payload | header adds |
|---|---|---|
| `start`, `end` | none | rig, card, versions, channels (what the colours are called that are told); totals of the ledger |
| `table` | Arrow IPC stream of one record batch; none where frames were skipped | first, last; skipped (the reason) |
| `tile` | float32 (y, x), zlib, localizations per pixel | shape, level, row, column, origin_nm, pixel_nm, layer ("density") |
| `layer.z`, `layer.time`, `layer.photons` | float32 (y, x), zlib: the mean of nm, frame indices, photo-electrons | as `tile`, which has twice the pixels; published while somebody subscribes |
| `layer.outside` | float32 (y, x), zlib: the share of the localizations that was located while the guard said outside | as `layer.z` |
| `layer.channel-0` to `layer.channel-4` | float32 (y, x), zlib: the share of the localizations of which this colour was told | as `layer.z` |
| `layer.image` | float32 (y, x), zlib: molecules per pixel, as a network draws them | as `tile`, on a grid of its own: pixel_nm is a part of a camera pixel; published while somebody subscribes |
| `layer.prediction` | float32 (y, x), zlib: no measurement: localizations per pixel as a network expects them | as `layer.image`, pixels of 20 nm |
| `layer.error-of-prediction` | float32 (y, x), zlib: what the sum of all frames shows otherwise, over its standard deviation; sums in coarser levels | as `layer.image`, pixels of 80 nm |
| `frame` | uint16 (y, x) | shape, index, camera_time_s, host_time_s |
| `found` | float32 (n, 2) x, y in nm | shape, index of the `frame` in which molecules were found there |
| `sum` | float32 (y, x) ADU | shape, frames: so many were added up |
| `background` | float32 (y, x) photo-electrons per camera pixel, nan where unknown | shape, pixel_nm, frame |
| `phase` | float32 (27,) waves | psf_epoch, sigma, source, rms_error_waves, field (parts of it); reason, remedy (words, if they have changed) |
| `drift` | none | method, frames [k], drift_nm [k][x, y, z or null], blocks, localizations, remark (words, or empty) |
| `psf` | float32 (z, y, x), share of the collected photons on each pixel | shape, psf_epoch, z_nm, pixel_nm |
| `guard` | none | verdict (inside, drifting, outside), cause, remedy, frame, molecules, findings: `models/guard/verdict.py` |
| `residual` | float32 (4, z, y, x): mean molecule that the guard saw, what was expected, difference, its standard error; shares of the expected peak, nan where there are too few | shape, z_nm, molecules (in each z), enough, pixel_nm |
| `health` | none | all in the header, with the alarms (`stream/books/alarms.py`) |
| `statistics` | none | what molecules are like: the fields of `stream/books/statistics.py` |
| `resolution` | none | frame, localizations, frc_nm, frc_caveat, frc_curve, nena_nm, subpixel: what of them is known |
| `traces` | float32 (n, 4): x, y in nm, bleaching steps, their probability | shape, frame, spots, samples, frames_per_sample, counted (traces with 0, 1, ... steps), population (shares of the molecules), lit (still shining), median_snr, median_step_e, examples [{x_nm, y_nm, steps, probability, frame, light_e}] |
| `action` | none | what was done to the microscope and why: the fields of `stream/feedback/action.py`, and time |

A message has three parts: topic, JSON header `{version, run_id, sequence, run_s, ...}`, payload. `sequence` counts per
topic; `run_s` is the time since the run began.
"""  # noqa: E501

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.localizations import Localizations
from stream.errors import AddressError, FrameFormatError
from stream.picture.layers import LAYERS, PICTURES
from stream.picture.tiles import Float32Array, Tile

VERSION = 1
PICTURE_TOPICS = {f"layer.{name}": name for name in PICTURES}
LAYER_TOPICS = {f"layer.{name}": name for name in LAYERS} | PICTURE_TOPICS
TOPICS = (
    "start", "end", "table", "tile", *LAYER_TOPICS, "frame", "found", "sum", "background", "phase", "psf", "guard",
    "residual", "drift", "resolution", "traces", "health", "statistics", "action",
)  # fmt: skip
ARRAYS = {
    "frame": "<u2", "found": "<f4", "sum": "<f4", "background": "<f4", "psf": "<f4", "residual": "<f4", "traces": "<f4",
}  # fmt: skip
"""Topics whose payload is an array of the shape that the header gives, and its dtype."""
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
        `table`; `tile` and `layer.*`; an array for the topics of ARRAYS; (27,) float32 waves of `phase`; else None.
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
    place = {"layer": tile.layer, "level": tile.level, "row": tile.row, "column": tile.column}
    return {**place, "origin_nm": tile.origin_nm, "pixel_nm": tile.pixel_nm, "shape": tile.values.shape}, payload


def unpack(parts: Sequence[bytes]) -> Message:
    """Unpack a message of three parts.

    Raises
    ------
    FrameFormatError, TableFormatError
        The message is not what its topic says it is.
    AddressError
        Whoever publishes there speaks another version.
    """
    with _readable(parts):
        raw_topic, raw_header, payload = parts
        topic, header = raw_topic.decode(), _unpack_header(raw_header)
        header["sequence"] = int(header["sequence"])
        return Message(topic, header, _unpack_payload(topic, header, payload))


def unpack_snapshot(parts: Sequence[bytes]) -> tuple[str, dict[str, int], list[Message]]:
    """Unpack the answer to `snapshot`: the run's name, the next sequence per topic, and the messages.

    Raises
    ------
    FrameFormatError, TableFormatError, AddressError
        As `unpack`.
    """
    with _readable(parts):
        _, raw_header, *rest = parts
        header = _unpack_header(raw_header)
        following = {topic: int(sequence) for topic, sequence in header["next"].items()}
        return header["run_id"], following, [unpack(rest[k : k + 3]) for k in range(0, len(rest), 3)]


@contextmanager
def _readable(parts: Sequence[bytes]) -> Iterator[None]:
    try:
        yield
    except (LookupError, ValueError, TypeError, AttributeError, zlib.error) as error:
        raise FrameFormatError(
            f"a message that begins with {b' '.join(parts)[:60]!r} cannot be read: {error!r}",
            limit="messages are topic, header and payload, as listed in stream/links/messages.py",
            remedy="check who publishes at this address",
        ) from error


def _unpack_header(raw: bytes) -> dict[str, Any]:
    header: dict[str, Any] = dict(json.loads(raw))
    if header.get("version") != VERSION:
        raise AddressError(
            f"the publisher speaks version {header.get('version')!r}",
            limit=f"this program understands version {VERSION}",
            remedy="install the same release of livesmlm on both sides",
        )
    header["run_id"] = str(header["run_id"])
    return header


def _unpack_payload(topic: str, header: dict[str, Any], payload: bytes) -> Payload:
    if topic == "table" and payload:
        from stream.links.arrow import from_ipc  # loads pyarrow, which the settings in rig.toml do not need

        return from_ipc(payload)
    if topic == "tile" or topic in LAYER_TOPICS:
        return _unpack_tile(header, payload)
    if topic in ARRAYS:
        return np.frombuffer(payload, ARRAYS[topic]).reshape(header["shape"])
    if topic == "phase":
        return np.frombuffer(payload, "<f4")
    return None


def _unpack_tile(header: dict[str, Any], payload: bytes) -> Tile:
    size = 4 * prod(header["shape"])
    if not 0 < size <= 4 * MAX_PIXELS:
        raise ValueError(f"a tile of shape {header['shape']}")
    values: Float32Array = np.frombuffer(zlib.decompressobj().decompress(payload, size), "<f4").reshape(header["shape"])
    x_nm, y_nm = header["origin_nm"]
    place, layer = (header["level"], header["row"], header["column"]), header.get("layer", "density")
    return Tile(*place, (x_nm, y_nm), header["pixel_nm"], values, layer)
