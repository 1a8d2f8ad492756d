"""`[traces]` of rig.toml."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class TracesSettings(BaseModel):
    """`[traces]`: the light of spots that stay where they are is followed, and their bleaching steps are counted."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    model: str | None = None
    """What counts steps: name of a model that ships, or the path of an exported `.onnx` file; none: nothing is
    followed."""
    find_frames: int = Field(10, ge=1, le=200)
    """Spots are looked for in so many frames at the start; they are kept in memory meanwhile."""
    every_s: float = Field(5.0, ge=0.5, le=3600)
    """Between counts, at least."""
