"""Frames that a run left in its spool when it ended before it had analysed them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from stream.acquisition.spool import Spool
from stream.frame import Frame, StreamInfo


class LeftFramesSettings(BaseModel):
    """`[source] kind = "left_frames"`."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    path: Path
    """The folder `spool` of a run."""


class LeftFramesSource:
    """Yields the frames of a spool with the index and the times that they had; changes nothing on disk.

    Parameters
    ----------
    settings : LeftFramesSettings
    """

    def __init__(self, settings: LeftFramesSettings) -> None:
        self._settings = settings

    def open(self) -> StreamInfo:
        """Read the shape. Raises FrameFormatError if the folder is not a spool."""
        self._frames = Spool.open_existing(self._settings.path)
        height, width = self._frames.shape
        return StreamInfo(height, width, len(self._frames), waits=True, description=f"left in {self._settings.path}")

    def frames(self) -> Iterator[Frame | None]:
        """Yield each frame, in the order of their index; when it was received is of another run's clock."""
        for frame in self._frames:
            yield replace(frame, host_time_s=float("nan"))

    def close(self) -> None:
        """Do nothing: files are open only while a frame is read."""
