"""`[prediction]` of rig.toml."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class PredictionSettings(BaseModel):
    """`[prediction]`: the image to be expected after many more frames, by a network; no measurement, and no table."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    model: str | None = None
    """Name of a model that ships, or the path of an exported `.onnx` file; none: nothing is predicted."""
    structure: Literal["filaments", "rings"] | None = None
    """What the sample is; the network draws what it is told, so it must be stated."""
    every_s: float = Field(10.0, ge=0.5, le=3600)
    """Between predictions, at least; a large field takes longer, for it is done on one thread beside the run."""

    @model_validator(mode="after")
    def _of_what(self) -> Self:
        if self.model is not None and self.structure is None:
            raise ValueError(
                f"model = {self.model!r} must be told what the sample is: set structure to filaments or rings"
            )
        return self
