"""Frames on the wire: what a ZeroMQ message that carries a frame looks like, and why one is refused.

A message has two parts: a JSON header (UTF-8) and the pixels (C order, little-endian). `{"dtype": "uint16",
"shape": [h, w]}` alone is a valid header. `start` and `end` messages are a header without pixels. Nothing is
allocated by a header's word, and nothing is ever unpickled.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, TypeAdapter, ValidationError

from stream.frame import UInt16Array

MAX_SIDE_PX = 8192
MAX_HEADER_BYTES = 65_536
MAX_PART_BYTES = 2 * MAX_SIDE_PX**2
MAX_INDEX = 2**53
"""Up to here JSON numbers are exact in every language."""
MAX_AXES = 16
MAX_SHOWN = 40
"""Characters of a wrong value that are shown."""

Side = Annotated[int, Field(ge=1, le=MAX_SIDE_PX)]
Count = Annotated[int, Field(ge=0, le=MAX_INDEX)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Name = Annotated[str, Field(max_length=256)]


class Header(BaseModel):
    """What all headers share: keys that are not known are let through, so that a sender may say more."""

    model_config = ConfigDict(frozen=True, strict=True)


class FrameHeader(Header):
    """Header of a frame; goes with its pixels."""

    dtype: Literal["uint16", "uint8"]
    shape: tuple[Side, Side]
    frame: Count | None = None
    """Absolute index by the camera's own counter."""
    time_s: Number | None = None
    """Camera clock."""
    z_um: Number | None = None
    channel: int | Name | None = None
    exposure_ms: Number | None = None
    camera: Name | None = None
    axes: Annotated[dict[Name, int | Number | Name], Field(max_length=MAX_AXES)] | None = None
    """Where it lies in an acquisition of several dimensions."""


class StartHeader(Header):
    """What the sender knows before the first frame; no pixels. With a shape, the run is set up before frames come."""

    type: Literal["start"]
    shape: tuple[Side, Side] | None = None
    indexed: bool | None = None
    """Whether the frames to come carry `frame`."""
    frames: Count | None = None
    exposure_ms: Number | None = None
    pixel_size_nm: Number | None = None
    camera: Name | None = None


class EndHeader(Header):
    """The last message; no pixels."""

    type: Literal["end"]
    frames: Count | None = None
    """How many frames were sent."""


class Refused(ValueError):
    """A message that is not taken; the text is the reason, with the value."""


def _kind(header: Any) -> str:
    return str(header.get("type", "frame")) if isinstance(header, dict) else "frame"


_HEADER: TypeAdapter[FrameHeader | StartHeader | EndHeader] = TypeAdapter(
    Annotated[
        Annotated[FrameHeader, Tag("frame")] | Annotated[StartHeader, Tag("start")] | Annotated[EndHeader, Tag("end")],
        Discriminator(_kind),
    ]
)


def read_header(parts: Sequence[memoryview]) -> FrameHeader | StartHeader | EndHeader:
    """Return the header of a message. Raises Refused if it is none, or pixels are missing or too many parts."""
    if parts[0].nbytes > MAX_HEADER_BYTES:
        raise Refused(f"header is larger than {MAX_HEADER_BYTES} bytes")
    try:
        header = _HEADER.validate_json(parts[0].tobytes())
    except ValidationError as error:
        raise Refused(_reason(error)) from None
    expected = 2 if isinstance(header, FrameHeader) else 1
    if len(parts) != expected:
        raise Refused(
            f"message with a {type(header).__name__.removesuffix('Header').lower()} header has not {expected} parts"
        )
    return header


def read_pixels(header: FrameHeader, payload: memoryview) -> UInt16Array:
    """Return the (y, x) pixels, uint16 without a copy and uint8 widened. Raises Refused if their number is wrong."""
    dtype = np.dtype(header.dtype).newbyteorder("<")
    height_px, width_px = header.shape
    if payload.nbytes != height_px * width_px * dtype.itemsize:
        raise Refused(f"{payload.nbytes} bytes of pixels are not {header.dtype} of shape {header.shape}")
    return np.frombuffer(payload, dtype).reshape(header.shape).astype(np.uint16, copy=False)


def _reason(error: ValidationError) -> str:
    """Say what is wrong with the first wrong field, and its value, cut short."""
    first = error.errors(include_url=False, include_context=False)[0]
    if first["type"] == "json_invalid":
        return "header is not JSON"
    if first["type"] == "union_tag_invalid":
        return "header: type is not frame, start or end"
    field = next((part for part in first["loc"] if part not in ("frame", "start", "end")), "frame")
    value = "" if first["type"] == "missing" else f" = {str(first['input'])[:MAX_SHOWN]}"
    return f"header: {field}{value}: {first['msg']}" if first["loc"][1:] else f"header: {first['msg']}"
