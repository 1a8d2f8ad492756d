"""What others did with what a run published, told to the run: its requests of kind `action`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

MAX_WAITING = 1000
"""Reports that the run has not looked at yet; further ones are refused."""


class Report(BaseModel):
    """One action."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    kind: Literal["picture"]
    """picture: the super-resolved picture was added to somebody's acquisition, or left out for a reason."""
    frame: Annotated[int, Field(ge=-1, le=2**53)]
    """Newest frame that the picture shows, or that was sent, where no picture is there yet; -1 if none."""
    why: Annotated[str, Field(max_length=300)]
    """In words."""
    dry_run: bool = False
    """Nothing was done."""


def read_report(raw: bytes) -> Report:
    """Return the report that a request carries. Raises ValueError, whose text is the reason, if it is none."""
    try:
        return Report.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        raise ValueError(f"{'.'.join(map(str, first['loc'])) or 'report'}: {first['msg']}") from None
