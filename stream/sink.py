"""Sink protocol: where localizations go.

To add one: a class that satisfies `Sink`, and one line in `SINKS` (`stream/sinks/__init__.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from models.localizations import Localizations
from stream.frame import StreamInfo


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What every sink is told before the first table.

    Parameters
    ----------
    run_id : str
        Unique name of the run.
    stream : StreamInfo
        Shape of the frames.
    pixel_size_nm : float
        Camera pixel size in the sample.
    rig : dict
        The validated rig as plain scalars, lists and mappings.
    card : dict
        The model card as plain scalars, lists and mappings.
    folder : Path
        Output folder of the run; exists.
    versions : dict
        Name to version of the software that took part.
    engine : str
        Runtime, version and device that the network runs on.
    warnings : tuple of str
        What was assumed, and what the data state otherwise.
    channels : tuple of str
        What the colours of the column `channel` are called; none where it is not told.
    """

    run_id: str
    stream: StreamInfo
    pixel_size_nm: float
    rig: dict[str, Any]
    card: dict[str, Any]
    folder: Path
    versions: dict[str, str] = field(default_factory=dict)
    engine: str = ""
    warnings: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()


class Sink(Protocol):
    """Takes the localizations of a run, in frame order."""

    def open(self, run: RunInfo) -> None:
        """Create the file or socket. Raises OutputError or AddressError if that cannot be done."""

    def write(self, table: Localizations, first: int, last: int) -> None:
        """Take the localizations of frames `first`..`last` (absolute, inclusive); the table may be empty.

        Raises StorageFault if it could not be written; what was written before stays readable.
        """

    def skipped(self, first: int, last: int, reason: str) -> None:
        """Be told that frames `first`..`last` were not analysed, and why."""

    def close(self) -> None:
        """Finish the file so that other programs can open it. May be called more than once."""
