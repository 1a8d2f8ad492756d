"""`[drift]` of rig.toml."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Nanometres = Annotated[float, Field(ge=0, le=1e7)]


class DriftSettings(BaseModel):
    """`[drift]`: how far the sample has moved; tables keep the raw positions, the picture is corrected."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    mode: Literal["off", "aim", "fiducials"] = "aim"
    """aim: blocks of frames are laid over all that was found before; fiducials: the mean track of marked beads."""
    block_frames: int = Field(50, ge=1, le=1_000_000)
    """The drift is found once in so many frames: as often as it moves by some 10 nm."""
    min_localizations: int = Field(500, ge=1, le=1_000_000)
    """Of aim: a block with fewer goes on into the next."""
    range_nm: float = Field(200.0, ge=40, le=2000)
    """It is looked for so far from where it is expected, along each axis; four times as far once it is lost."""
    fiducials: tuple[tuple[Nanometres, Nanometres], ...] = ()
    """Of fiducials: x and y of each bead in the first frames, from the outer corner of the first pixel."""
    second_pass: bool = True
    """Of aim: at the end of the run each block is laid over all the others, and the picture drawn again."""

    @model_validator(mode="after")
    def _beads_for_fiducials(self) -> Self:
        if (self.mode == "fiducials") != bool(self.fiducials):
            raise ValueError(
                f"mode = {self.mode!r} and {len(self.fiducials)} fiducials: mode fiducials needs at least one, "
                "the other modes have none"
            )
        return self
