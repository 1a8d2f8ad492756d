"""Follows what somebody else's acquisition writes, while it is written: an NDTiff dataset, or a folder of TIFF files.

    waiting -> following -> ended
       |           |
       +-----------+-> SourceFault

waiting: until the folder, its format and two images are there, for at most `timeout_s`. following: whatever is there
already, then each frame as it comes. ended: the writer has closed the dataset, or took all images that it had planned,
or nothing came for `idle_s`, which is said. SourceFault: no image in time, or half an image for `idle_s`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from stream.errors import FrameFormatError, SourceFault
from stream.frame import Frame, StreamInfo
from stream.sources.growing.growing import Growing, growing
from stream.sources.stacks.stack import StackDetails, check_shape

LOOK_EVERY_S = 0.01
CLOSED_S = 1.0
"""A dataset looks closed for a moment when one of its files is full and the next is not there yet."""


class FollowSettings(BaseModel):
    """`[source] kind = "follow"`."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    path: Path
    """The folder that is written: an NDTiff dataset (Micro-Manager, pycro-manager), or TIFF files."""
    axes: dict[str, int | str] = {}
    """Of an NDTiff dataset: which channel or position, for example {channel = "GFP", position = 0}."""
    timeout_s: float = Field(60.0, gt=0, le=86_400)
    """How long to wait for the first image; the folder need not be there before."""
    idle_s: float = Field(30.0, gt=0, le=86_400)
    """So long without a new frame is taken for the end, where the writer does not say that it has closed the data."""


class FollowSource:
    """Yields the frames of a dataset that grows.

    Parameters
    ----------
    settings : FollowSettings
    clock, sleep : callable
        Seconds; passed in so that a test holds the time.

    Attributes
    ----------
    refused : mapping
        Reason to number of files that were not taken.
    remarks : list of str
        How it was known that the data had ended, if nothing in it said so.
    """

    def __init__(
        self,
        settings: FollowSettings,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings, self._clock, self._sleep = settings, clock, sleep
        self._data: Growing | None = None
        self._shape = (0, 0)
        self._closed_since: float | None = None
        self.refused: Mapping[str, int] = {}
        self.remarks: list[str] = []

    def open(self) -> StreamInfo:
        """Wait for the first images.

        Raises
        ------
        FrameFormatError
            What is there cannot be used.
        SourceFault
            No image came in time.
        """
        path = self._settings.path
        if path.is_file():
            raise FrameFormatError(
                f"{path} is a file", limit="a folder can be followed", remedy="name its folder, or replay the file"
            )
        with self._readable():
            details = self._wait()
        self._shape = details.height_px, details.width_px
        return StreamInfo(
            height_px=details.height_px,
            width_px=details.width_px,
            frames=details.frames,
            verifiable=details.verifiable,
            waits=True,  # what is not taken yet stays where it is
            exposure_ms=details.exposure_ms,
            pixel_size_nm=details.pixel_size_nm,
            description=f"{details.description}, followed",
        )

    def frames(self) -> Iterator[Frame | None]:
        """Yield each frame once it is on the disk.

        Raises
        ------
        FrameFormatError
            The data is damaged, or a frame is not like those before.
        SourceFault
            Half an image was there and nothing came, or the folder is gone.
        """
        with self._readable():
            yield from self._follow()

    def close(self) -> None:
        """Close the files."""
        if self._data is not None:
            self._data.close()
            self._data = None

    def _follow(self) -> Iterator[Frame | None]:
        heard_s = self._clock()
        while self._data is not None:
            for frame in self._data.look():
                check_shape(frame, self._shape, self._settings.path.name)
                yield replace(frame, host_time_s=self._clock())
                heard_s = self._clock()
                if self._data is None:  # closed between two frames
                    return
            if self._ended(self._data, heard_s):
                return
            self._sleep(LOOK_EVERY_S)
            yield None

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise SourceFault(
                f"{error.filename or self._settings.path} cannot be read: {error.strerror or error}",
                limit="the frames before are good and were taken",
                remedy="check the permissions and that the disk is connected, then follow it again",
            ) from error

    def _wait(self) -> StackDetails:
        end_s = self._clock() + self._settings.timeout_s
        while True:
            over = self._clock() >= end_s
            details = self._begin(over)
            if details is not None:
                return details
            if over:
                raise self._nothing_came()
            self._sleep(LOOK_EVERY_S)

    def _begin(self, enough: bool) -> StackDetails | None:
        if self._data is None:
            self._data = growing(self._settings.path, self._settings.axes)
        if self._data is None:
            return None
        self.refused = self._data.refused
        return self._data.begin(enough)

    def _ended(self, data: Growing, heard_s: float) -> bool:
        """Return True if no frame will follow. Raises SourceFault if half an image is all that came for `idle_s`."""
        now_s, idle_s = self._clock(), self._settings.idle_s
        if data.closed():
            self._closed_since = now_s if self._closed_since is None else self._closed_since
            return now_s - self._closed_since >= CLOSED_S
        self._closed_since = None
        if now_s - heard_s < idle_s:
            return False
        if data.unfinished:
            raise SourceFault(
                f"half an image in {self._settings.path}, and nothing came for {idle_s:g} s: {data.unfinished}",
                limit="the frames before it are good and were taken",
                remedy="see whether its writer still runs; a longer [source] idle_s waits longer",
            )
        self.remarks.append(
            f"no image came in {self._settings.path} for {idle_s:g} s, which was taken for the end: "
            "nothing says that its writer has closed it"
        )
        return True

    def _nothing_came(self) -> SourceFault:
        path, timeout_s = self._settings.path, self._settings.timeout_s
        there = path if path.is_dir() else next(parent for parent in path.absolute().parents if parent.is_dir())
        holds = ", ".join(sorted(entry.name for entry in there.iterdir())[:5]) or "nothing"
        half = f"; half an image: {self._data.unfinished}" if self._data is not None and self._data.unfinished else ""
        return SourceFault(
            f"no image came in {path} within {timeout_s:g} s{half}",
            limit=f"looked for NDTiff.index or TIFF files; the nearest folder that exists, {there}, holds {holds}",
            remedy="start the acquisition, check the path, or set a longer [source] timeout_s",
        )
