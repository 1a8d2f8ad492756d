"""`[slm]` of rig.toml."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class SlmSettings(BaseModel):
    """`[slm]`: the spatial light modulator in the pupil, for `livesmlm slm`."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    width_px: int | None = Field(None, ge=2, le=16_384)
    """Pixels of the panel."""
    height_px: int | None = Field(None, ge=2, le=16_384)
    """Pixels of the panel."""
    bits: Literal[8, 16] = 8
    """Of a grey level. Micro-Manager shows 8."""
    pupil_px: float | None = Field(None, gt=1)
    """Diameter of the pupil's image on the panel."""
    centre_px: tuple[float, float] | None = None
    """x and y of its centre, from the panel's corner; the panel's middle if not given."""
    mirrored: bool = False
    """Left and right are exchanged between the panel and the camera's view of the pupil."""
    calibration: Path | None = None
    """A table: `grey,565,605` and below it level, phase in rad at each wavelength; none: linear."""
    stroke_rad: float = Field(6.2832, gt=0, le=100)
    """Without a table: phase of the highest level at the mask's wavelength."""
    device: str | None = None
    """Its name in Micro-Manager; none: the one that Micro-Manager calls its SLM."""
