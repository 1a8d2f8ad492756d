"""`[resolution]` of rig.toml."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class ResolutionSettings(BaseModel):
    """`[resolution]`: resolution and precision, estimated while the data is taken, by a process of its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    mode: Literal["off", "on"] = "off"
    """on: Fourier ring correlation, NeNA, and whether positions gather anywhere in the camera's pixels."""
    every_s: float = Field(10.0, ge=0.1, le=3600)
    """Between estimates, at least; a large field takes longer, so that a fiftieth of a processor is enough."""
    block_frames: int = Field(500, ge=20, le=1_000_000)
    """So many frames in a row go to the same half of the data; a molecule should be on for a twentieth at most."""
    pixel_nm: float = Field(5.0, ge=1, le=50)
    """Of the pictures that are correlated; no resolution finer than two of them is found."""
