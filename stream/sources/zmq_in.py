"""Receives frames over ZeroMQ (`stream/links/headers.py` says what they look like, `stream/links/send.py` sends them).

PULL loses nothing: a full queue holds the sender. SUB never holds the sender; what is lost shows as gaps in `frame`.
Ready: a PULL socket is ready when it has connected; a SUB socket has subscribed by then. Both happen in `open`, and a
sender that waits for them (see `stream/links/send.py`) loses nothing before the first frame.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from math import nan
from typing import Literal

import zmq
from pydantic import Field

from stream.errors import SourceFault
from stream.frame import Frame, StreamInfo
from stream.links.frame_socket import FrameSocket, LinkSettings
from stream.links.headers import EndHeader, FrameHeader, Refused, StartHeader, read_header, read_pixels

TICK_MS = 50
NEVER_ARRIVED = "sent but never arrived"
OTHER = "for other reasons"
MAX_REASONS = 20
"""So many reasons are told apart: whatever is sent, the ledger stays small."""


class ZmqInSettings(LinkSettings):
    """`[source] kind = "zmq_in"`."""

    pattern: Literal["pull", "sub"] = "pull"
    """pull: the sender waits when frames are not taken; sub: it does not, and losses show as gaps."""
    timeout_s: float = Field(60.0, gt=0, le=86_400)
    """How long to wait for the first message."""


class ZmqInSource:
    """Yields the frames that a sender puts on the wire.

    Parameters
    ----------
    settings : ZmqInSettings
    clock : callable
        Seconds; passed in so that a test holds the time.

    Attributes
    ----------
    refused : Counter
        Reason to number of messages that were not taken.
    address : str
        Where it listens, once open.
    """

    def __init__(self, settings: ZmqInSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._clock = settings, clock
        self._link: FrameSocket | None = None
        self._first: Frame | None = None
        self._about: StartHeader | None = None
        self._next, self._received = 0, 0
        self.refused: Counter[str] = Counter()
        self.address = settings.address

    def listen(self) -> None:
        """Bind or connect. Part of `open`; for those who must know which port was free before a sender can start."""
        if self._link is None:
            kind = zmq.PULL if self._settings.pattern == "pull" else zmq.SUB
            self._link = FrameSocket(kind, self._settings, timeout_ms=TICK_MS)
            self.address = self._link.address

    def open(self) -> StreamInfo:
        """Listen, and wait for the first frame, or for a `start` that tells the shape and whether frames are numbered.

        Raises
        ------
        AddressError
            The address or a certificate cannot be used.
        SourceFault
            Nothing came in time.
        """
        self.listen()
        deadline = self._clock() + self._settings.timeout_s
        while self._about is None or self._about.shape is None or self._about.indexed is None:
            message = self._receive()
            if isinstance(message, Frame):
                self._first = message
            elif isinstance(message, StartHeader):
                self._about = message
            elif isinstance(message, EndHeader) or self._clock() > deadline:
                raise self._nothing_came()
        return _info(self._about, self._about.shape, self._about.indexed, f"{self._settings.pattern} {self.address}")

    def frames(self) -> Iterator[Frame | None]:
        """Yield each frame as it arrives, until the sender says that it was the last.

        Pixels are a view of the received message: (y, x) uint16.
        """
        if self._first is not None:
            yield self._first
            self._first = None
        while self._link is not None:
            message = self._receive()
            if isinstance(message, EndHeader):
                self._compare(message)
                return
            yield message if isinstance(message, Frame) else None

    def close(self) -> None:
        """Close the socket."""
        if self._link is not None:
            self._link.close()
            self._link = None

    def _receive(self) -> Frame | StartHeader | EndHeader | None:
        """Return the next message; None if none came within 50 ms, or it was refused."""
        assert self._link is not None
        try:
            parts = self._link.socket.recv_multipart(copy=False)
        except zmq.Again:
            return None
        try:
            header = read_header([part.buffer for part in parts])
            return self._frame(header, parts[1].buffer) if isinstance(header, FrameHeader) else header
        except Refused as reason:
            known = str(reason) in self.refused or len(self.refused) < MAX_REASONS
            self.refused[str(reason) if known else OTHER] += 1
            return None

    def _frame(self, header: FrameHeader, payload: memoryview) -> Frame:
        pixels = read_pixels(header, payload)
        self._settle(header)
        index = self._next if header.frame is None else header.frame
        if index < self._next:
            raise Refused("frame: index is not above that of the frame before")
        self._next, self._received = index + 1, self._received + 1
        return Frame(
            pixels,
            index,
            camera_time_s=nan if header.time_s is None else header.time_s,
            host_time_s=self._clock(),
            stage_z_um=nan if header.z_um is None else header.z_um,
            axes=header.axes or {},
        )

    def _settle(self, header: FrameHeader) -> None:
        """Let the first frame decide what `start` left open; refuse frames that are not like it."""
        numbered = header.frame is not None
        about = self._about or StartHeader(type="start", exposure_ms=header.exposure_ms, camera=header.camera)
        shape = about.shape or header.shape
        indexed = numbered if about.indexed is None else about.indexed
        if header.shape != shape:
            raise Refused(f"shape {header.shape} is not {shape}, that of the first frame or of start")
        if numbered != indexed:
            raise Refused(f"frame: {'given' if numbered else 'missing'}, unlike in the first frame or start")
        if self._about is None or self._about.shape is None or self._about.indexed is None:
            self._about = about.model_copy(update={"shape": shape, "indexed": indexed})

    def _compare(self, end: EndHeader) -> None:
        """Count what was lost on the way and shows in no gap: unnumbered frames, and the last ones."""
        if end.frames is not None:
            lost = end.frames - self._received - self.refused.total()
            if lost > 0:
                self.refused[NEVER_ARRIVED] += lost

    def _nothing_came(self) -> SourceFault:
        refused = ", ".join(f"{count} x {reason}" for reason, count in self.refused.items())
        return SourceFault(
            f"no frame came at {self.address} ({self._settings.pattern}) within {self._settings.timeout_s:g} s"
            + (f"; refused: {refused}" if refused else ""),
            limit='a message is a JSON header like {"dtype": "uint16", "shape": [512, 512]} and the pixels',
            remedy="start the sender, check that its address is the same and that exactly one end binds",
        )


def _info(about: StartHeader, shape: tuple[int, int], indexed: bool, where: str) -> StreamInfo:
    return StreamInfo(
        height_px=shape[0],
        width_px=shape[1],
        frames=about.frames,
        verifiable=indexed,
        exposure_ms=nan if about.exposure_ms is None else about.exposure_ms,
        pixel_size_nm=nan if about.pixel_size_nm is None else about.pixel_size_nm,
        description=f"{about.camera or 'frames'} by {where}",
    )
