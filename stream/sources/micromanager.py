"""The camera of Micro-Manager, by pycro-manager's core.

    opened -> running -> ended | fault

opened: devices are loaded and the camera's settings read. running: the camera fills the core's buffer, and frames are
taken out one by one. A buffer that is full stops the camera; what is in it is still taken, then the fault is raised.

Decision: a sequence of a fixed, huge number of frames that stops on overflow. Context: the core's endless form empties
a full buffer and goes on, without a word. Consequence: loss in the buffer ends the run and is named.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream.actuator import Setting
from stream.books.ranges import Ranges
from stream.errors import FrameFormatError, SourceFault
from stream.frame import Frame, StreamInfo, UInt16Array
from stream.sources.micro_manager import camera_facts
from stream.sources.micro_manager.camera_facts import read_state
from stream.sources.micro_manager.core import take
from stream.sources.micro_manager.device_property import set_core_property
from stream.sources.micro_manager.links import Link, open_link
from stream.sources.micro_manager.numbering import Intervals, Numbering
from stream.sources.micro_manager.settings import MicroManagerSettings

MOST_FRAMES = 2**31 - 1
IDLE_S = 0.001
ASK_EVERY_S, LOOK_EVERY_S = 0.05, 1.0
OVERFLOWED = "Micro-Manager's buffer overflowed after this frame"


class MicroManagerSource:
    """Takes the frames of Micro-Manager's camera out of its buffer.

    Parameters
    ----------
    settings : MicroManagerSettings
    connect : callable
        Makes the link to the core from the settings.
    clock, sleep : callable
        Passed in so that a test holds the time.

    Attributes
    ----------
    missing, suspicious : dict of str to Ranges
        As in `Source`.
    """

    def __init__(
        self,
        settings: MicroManagerSettings,
        connect: Callable[[MicroManagerSettings], Link] = open_link,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings, self._connect, self._clock, self._sleep = settings, connect, clock, sleep
        self._link: Link | None = None
        self._running = False
        self.missing: dict[str, Ranges] = {}
        self.suspicious: dict[str, Ranges] = {}
        self.actuator = self

    def open(self) -> StreamInfo:
        """Load the devices or connect, set what the rig asks for, and read the camera's settings."""
        self._link = link = self._connect(self._settings)
        self._state = state = link.call(lambda core: camera_facts.prepare(core, self._settings))
        facts = link.call(lambda core: camera_facts.describe(core, state))
        pixel_um = link.call(lambda core: core.get_pixel_size_um())
        self._shape = state.height_px, state.width_px
        return StreamInfo(
            height_px=state.height_px, width_px=state.width_px, verifiable=self._settings.counter_tag is not None,
            exposure_ms=state.exposure_ms, pixel_size_nm=1000 * pixel_um if pixel_um > 0 else nan,
            description=f"{state.camera} of Micro-Manager ({self._settings.backend})",
            camera=facts, remarks=link.remarks + camera_facts.doubts(facts),
        )  # fmt: skip

    def frames(self) -> Iterator[Frame | None]:
        """Start the camera, and yield each frame of its buffer.

        Raises
        ------
        SourceFault
            The buffer overflowed, the camera stopped, its settings were changed, or Micro-Manager is gone.
        FrameFormatError
            A frame is not like those before.
        """
        self._numbering = Numbering(self._settings.counter_tag, self.missing, self.suspicious)
        self._intervals = Intervals(self._settings.gap_factor, self.suspicious)
        self._last = -1
        look_at_s, ask_at_s = self._clock() + LOOK_EVERY_S, self._clock() + ASK_EVERY_S
        self._start()
        while self._link is not None:
            waiting = _waiting(self._link)
            for _ in range(waiting):
                if self._link is None:
                    return
                if (taken := self._take(self._link)) is None:
                    break
                yield self._frame(*taken)
            if not waiting:
                if self._clock() >= ask_at_s:
                    self._ask_camera(self._link)
                    ask_at_s = self._clock() + ASK_EVERY_S
                self._sleep(IDLE_S)
                yield None
            if self._clock() >= look_at_s and self._link is not None:
                self._compare(self._link)
                look_at_s = self._clock() + LOOK_EVERY_S

    def set(self, wanted: Setting) -> float:
        """Set a property of a device; as `set_core_property`."""
        link = self._link
        assert link is not None, "not open"
        return link.call(lambda core: set_core_property(core, wanted))

    def close(self) -> None:
        """Stop the camera and let it go."""
        link, self._link = self._link, None
        if link is None:
            return
        try:
            if self._running and not link.dead:
                link.call(lambda core: core.stop_sequence_acquisition())
                self._running = False
                link.watch(running=False)
        finally:
            link.close()

    def _start(self) -> None:
        link = self._link
        if link is None:
            return
        link.watch(running=True)
        try:
            link.call(lambda core: core.start_sequence_acquisition(MOST_FRAMES, 0.0, True))
        except SourceFault:
            link.watch(running=False)
            raise
        self._running = True

    def _take(self, link: Link) -> tuple[NDArray[Any], dict[str, Any]] | None:
        """Return the oldest frame of the buffer; None if somebody has emptied it since it was counted."""
        try:
            return link.call(take)
        except SourceFault:
            if link.dead or _waiting(link):
                raise
        return None

    def _frame(self, pixels: NDArray[Any], tags: dict[str, Any]) -> Frame:
        index = self._numbering.index(tags)
        camera_s = self._intervals.time_s(index, tags)
        self._last = index
        return Frame(self._shaped(pixels, index), index, camera_time_s=camera_s, host_time_s=self._clock())

    def _shaped(self, pixels: NDArray[Any], index: int) -> UInt16Array:
        """Return (y, x) uint16; over the bridge pixels are flat."""
        there = pixels.shape if pixels.ndim == 2 else (pixels.size,)
        wanted = self._shape if pixels.ndim == 2 else (self._shape[0] * self._shape[1],)
        if there != wanted or pixels.dtype.itemsize != self._state.bytes_per_pixel:
            raise FrameFormatError(
                f"frame {index} has {' x '.join(map(str, there))} pixels of {pixels.dtype.itemsize} bytes",
                limit=f"this run's frames have {self._shape[0]} x {self._shape[1]} of {self._state.bytes_per_pixel}",
                remedy="leave the camera's settings alone while a run lasts; start a new one for the new settings",
            )
        return np.ascontiguousarray(pixels, np.uint16).reshape(self._shape)

    def _ask_camera(self, link: Link) -> None:
        """Raise a fault if the camera stands still while the buffer is empty."""
        running, overflowed = link.call(lambda core: (core.is_sequence_running(), core.is_buffer_overflowed()))
        if (running and not overflowed) or _waiting(link):
            return
        self._compare(link)
        if overflowed:
            self.suspicious.setdefault(OVERFLOWED, Ranges()).add(max(self._last, 0))
            raise self._overflow()
        raise SourceFault(
            f"the camera {self._state.camera} stopped after {self._last + 1} frames",
            limit="nobody asked it to: it runs until the run ends",
            remedy="see whether it is still on and connected, and that nobody stopped it in Micro-Manager",
        )

    def _overflow(self) -> SourceFault:
        return SourceFault(
            f"Micro-Manager's buffer was full after frame {self._last}, and the camera stopped",
            limit="frames must be taken out as fast as the camera fills it; all that were in it are analysed",
            remedy="set a larger [source] buffer_mb, a longer exposure or a smaller field",
        )

    def _compare(self, link: Link) -> None:
        """Raise a fault if the camera's settings are not what they were."""
        now = link.call(read_state)
        if changed := self._state.changes(now):
            raise SourceFault(
                f"the camera's settings were changed after {self._last + 1} frames: {changed}",
                limit="they stay as they are while a run lasts, or its numbers would not mean the same",
                remedy="start a new run for the new settings; what came before is good",
            )


def _waiting(link: Link) -> int:
    return link.call(lambda core: core.get_remaining_image_count())
