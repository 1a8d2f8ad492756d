"""`[activation]` and `[stop]` of rig.toml: all off unless told otherwise."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

NEEDED = ("device", "property", "molecules", "maximum")


class ActivationSettings(BaseModel):
    """`[activation]`: the number of molecules in a frame, held by the power of a laser."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)

    mode: Literal["off", "dry-run", "on"] = "off"
    """dry-run: what would be set is said and kept, nothing is set."""
    device: str | None = None
    """That activates: its label in Micro-Manager; `laser` for the simulated camera."""
    property: str | None = None
    """Of the device, a number; `power` for the simulated camera."""
    molecules: float | None = Field(None, gt=0)
    """Wanted in each frame: rows of the table, after `[filter]`."""
    maximum: float | None = Field(None, gt=0)
    """The property is never set above; in the device's unit, as are the next three."""
    minimum: float = Field(0.0, ge=0)
    """Nor below."""
    start: float | None = Field(None, ge=0)
    """Set before the first frame; the minimum if not given."""
    after: float | None = Field(None, ge=0)
    """Set when the last frame was taken, whatever ended the run; the minimum if not given."""
    every_frames: int = Field(50, ge=1, le=1_000_000)
    """Between changes; all of them taken under the present value."""
    gain: float = Field(0.8, gt=0, le=1)
    """How much of what is missing is made up for at once; 1: all of it, and all of the noise too."""
    feedback: float = Field(0.4, ge=0, le=1)
    """How much of it is kept for the changes to come: this follows a sample that bleaches."""
    step_percent: float = Field(50.0, gt=0, le=1000)
    """Largest change at once."""
    dead_zone_percent: float = Field(2.0, ge=0, lt=100)
    """Nothing is changed while the number is so near to the wanted one."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        missing = [name for name in NEEDED if self.mode != "off" and getattr(self, name) is None]
        if missing:
            raise ValueError(f"mode = {self.mode!r} needs {', '.join(missing)} too")
        return self

    @model_validator(mode="after")
    def _within_the_limits(self) -> Self:
        most = self.maximum
        if most is not None and not self.minimum < most:
            raise ValueError(f"minimum = {self.minimum:g} must be below maximum = {most:g}")
        for name in ("start", "after"):
            value = getattr(self, name)
            if value is not None and (value < self.minimum or (most is not None and value > most)):
                raise ValueError(f"{name} = {value:g} must be from minimum to maximum")
        return self


class StopSettings(BaseModel):
    """`[stop]`: the camera is asked to stop when one of these is met; what was taken is still analysed."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    localizations: int | None = Field(None, ge=1)
    """So many are in the table, after `[filter]`."""
    at_maximum_frames: int | None = Field(None, ge=1)
    """So many in a row were taken with `[activation]` at its maximum; without it the run goes on there."""
    resolution_nm: float | None = Field(None, gt=0, le=10_000)
    """Three estimates in a row of `[resolution]` (Fourier ring correlation) were so fine or finer."""
