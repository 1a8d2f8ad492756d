"""`[image]` of rig.toml."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from stream.acquisition.ring_memory import Kind

IMAGE = "image"
"""Reader of the ring."""


class ImageSettings(BaseModel):
    """`[image]`: a layer of its own, drawn by a network frame by frame, where molecules are too dense to be located."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    model: str | None = None
    """Name of a model that ships, or the path of an exported `.onnx` file; none: no such layer."""
    frames: Literal["newest", "all"] = "newest"
    """newest: frames that come too fast are left out of the layer, and counted; all: the ring waits for the layer, so
    that frames are located later too: for recorded stacks."""
    threads: int = Field(1, ge=1, le=256)
    """CPU threads of its process, which yields to everything else on the computer."""


def image_reader(settings: ImageSettings) -> dict[str, Kind]:
    """Return the reader of the ring that the layer needs; none without a layer."""
    return {} if settings.model is None else {IMAGE: "newest" if settings.frames == "newest" else "lossless"}
