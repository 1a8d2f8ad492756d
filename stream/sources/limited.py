"""Any source, ended after a number of frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from stream.actuator import Actuator
from stream.books.ranges import Ranges
from stream.frame import Frame, StreamInfo
from stream.source import Source


class Limited:
    """Ends another source after `frames` frames.

    Parameters
    ----------
    source : Source
    frames : int
    """

    def __init__(self, source: Source, frames: int) -> None:
        self._source, self._frames = source, frames

    def open(self) -> StreamInfo:
        """Open the other source."""
        info = self._source.open()
        return replace(info, frames=self._frames if info.frames is None else min(info.frames, self._frames))

    def frames(self) -> Iterator[Frame | None]:
        """Yield the first frames of the other source."""
        left = self._frames
        for frame in self._source.frames():
            yield frame
            left -= frame is not None
            if left == 0:
                return

    @property
    def refused(self) -> dict[str, int]:
        """What the other source turned away, by reason."""
        return getattr(self._source, "refused", {})

    @property
    def missing(self) -> dict[str, Ranges]:
        """What the other source knows to be lost, by reason."""
        return getattr(self._source, "missing", {})

    @property
    def suspicious(self) -> dict[str, Ranges]:
        """Frames before which the other source may have lost some, by reason."""
        return getattr(self._source, "suspicious", {})

    @property
    def actuator(self) -> Actuator | None:
        """What sets the devices of the other source."""
        return getattr(self._source, "actuator", None)

    @property
    def remarks(self) -> list[str]:
        """What the other source has to say."""
        return getattr(self._source, "remarks", [])

    def close(self) -> None:
        """Close the other source."""
        self._source.close()
