"""What a rig says of Micro-Manager."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

DEFAULT_BUFFER_MB = 512


class MicroManagerSettings(BaseModel):
    """`[source] kind = "micromanager"`: the camera of a Micro-Manager core, by pycro-manager."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    backend: Literal["python", "bridge"] = "python"
    """python: a core of our own in the source's process; bridge: a Micro-Manager that runs on this computer with
    Tools > Options > Run server on port."""
    adapters: str = "auto"
    """Of python: folder of device adapters, that is Micro-Manager's; auto: where it is usually installed, else the
    package mm-test-adapters."""
    config_file: Path | None = None
    """Of python: the configuration of the devices (.cfg)."""
    port: int = Field(4827, ge=1, le=65_535)
    """Of bridge."""
    exposure_ms: float | None = Field(None, gt=0, le=600_000)
    """Set before the first frame; as it is if not given."""
    roi_px: tuple[
        Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)], Annotated[int, Field(ge=1)],
        Annotated[int, Field(ge=1)],
    ] | None = None  # fmt: skip
    """x, y, width and height of the field, set before the first frame; as it is if not given."""
    buffer_mb: int | None = Field(None, ge=4, le=1_000_000)
    """Memory of the core's buffer, at least two seconds of frames; if not given 512 for python, as it is for bridge."""
    counter_tag: str | None = None
    """Metadata tag with the camera's own frame number, if its adapter has one: then a lost frame leaves a gap."""
    gap_factor: float = Field(1.5, gt=1, le=100)
    """An interval so many times the median one is named as suspicious: a frame may have been lost in it."""

    @model_validator(mode="after")
    def _config_for_python(self) -> Self:
        if (self.backend == "python") != (self.config_file is not None):
            raise ValueError(
                f"backend = {self.backend!r} and config_file = {self.config_file and str(self.config_file)!r}: "
                "python needs a config_file, bridge has none"
            )
        return self
