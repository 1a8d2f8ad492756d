"""Replays a recorded stack: as fast as it is analysed, at the rate it was recorded with, or at any other."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from math import isnan
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from stream.errors import FrameFormatError
from stream.frame import Frame, StreamInfo
from stream.sources.stacks.stack import StackDetails, check_shape, open_stack

TICK_S = 0.05


class ReplaySettings(BaseModel):
    """`[source] kind = "replay"`."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    path: Path
    """The stack: a file, the first file of a set, an NDTiff dataset, an OME-Zarr image, or a folder of TIFF files."""
    rate: Literal["max", "recorded"] | Annotated[float, Field(gt=0, allow_inf_nan=False)] = "max"
    """max: as fast as frames are analysed; recorded: by the file's own metadata; or frames per second."""


class ReplaySource:
    """Yields the frames of a recorded stack, one page in memory at a time.

    Parameters
    ----------
    settings : ReplaySettings
    clock, sleep : callable
        Seconds; passed in so that a test holds the time.
    """

    def __init__(
        self,
        settings: ReplaySettings,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings, self._clock, self._sleep = settings, clock, sleep
        self._pages: Generator[Frame, None, None] | None = None
        self._shape = (0, 0)
        self._period_s = 0.0

    def open(self) -> StreamInfo:
        """Read what the file says of itself.

        Raises
        ------
        FrameFormatError
            No such file, not a stack of camera frames, or `rate = "recorded"` where the file states no rate.
        """
        stack = open_stack(self._settings.path)
        details = stack.details
        self._period_s = self._period(details)
        self._shape = details.height_px, details.width_px
        self._pages = stack.frames()
        return StreamInfo(
            height_px=details.height_px,
            width_px=details.width_px,
            frames=details.frames,
            verifiable=details.verifiable,
            waits=self._period_s == 0,
            exposure_ms=details.exposure_ms,
            pixel_size_nm=details.pixel_size_nm,
            description=details.description,
        )

    def frames(self) -> Iterator[Frame | None]:
        """Yield each frame when it is due.

        Raises
        ------
        FrameFormatError
            The file is damaged, or a frame has another shape than the first.
        """
        began = self._clock()
        first: int | None = None
        for frame in self._pages or ():
            check_shape(frame, self._shape, self._settings.path.name)
            first = frame.index if first is None else first
            yield from self._wait_until(began + (frame.index - first) * self._period_s)
            yield replace(frame, host_time_s=self._clock())

    def close(self) -> None:
        """Close the file."""
        if self._pages is not None:
            self._pages.close()
            self._pages = None

    def _wait_until(self, due_s: float) -> Iterator[None]:
        while self._period_s and (left := due_s - self._clock()) > 0:
            self._sleep(min(left, TICK_S))
            if left > TICK_S:
                yield None

    def _period(self, details: StackDetails) -> float:
        rate = self._settings.rate
        if rate == "max":
            return 0.0
        if rate != "recorded":
            return 1 / rate
        if isnan(details.interval_s):
            raise FrameFormatError(
                f"{details.description} does not state the interval between its frames",
                limit='rate = "recorded" needs OME-XML TimeIncrement, ImageJ finterval or Micro-Manager ElapsedTime-ms',
                remedy='state the rate in frames per second, for example rate = 20, or take rate = "max"',
            )
        return details.interval_s
