"""`linked.parquet`: one row for each blink of a molecule, an option of the rig."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from models.linking import Linker
from models.localizations import Localizations
from stream.sink import RunInfo
from stream.sinks.parquet import Parquet


class LinkSettings(BaseModel):
    """`[link]`: localizations of one molecule in consecutive frames become one row of `linked.parquet`."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    max_distance_nm: float | None = Field(None, gt=0, le=10_000)
    """Laterally, from frame to frame; nothing is linked if it is not given."""
    max_gap_frames: int = Field(1, ge=0, le=1000)
    """Frames that a molecule may be missing."""


class Linked:
    """Links what it is given and writes molecules when they have ended.

    Parameters
    ----------
    settings : LinkSettings
        With a distance.
    """

    def __init__(self, settings: LinkSettings) -> None:
        assert settings.max_distance_nm is not None, "the rig asks for no linking"
        self._linker = Linker(settings.max_distance_nm, settings.max_gap_frames)
        self._file = Parquet("linked.parquet")
        self._last, self._goes_well = 0, False

    def open(self, run: RunInfo) -> None:
        """Create the file. Raises OutputError if it exists or cannot be created."""
        self._file.open(run)

    def write(self, table: Localizations, first: int, last: int) -> None:
        """Take the table and write what has ended. Raises StorageFault."""
        self._last, self._goes_well = last, False
        self._file.write(self._linker.add(table, last), first, last)
        self._goes_well = True

    def skipped(self, first: int, last: int, reason: str) -> None:
        """Count the frames; a molecule is taken to be off in them."""
        self._file.skipped(first, last, reason)

    def close(self) -> None:
        """Write the molecules that are still on, and finish the file. Raises StorageFault."""
        go_on, self._goes_well = self._goes_well, False
        try:
            if go_on:
                self._file.write(self._linker.finish(), self._last, self._last)
        finally:
            self._file.close()
