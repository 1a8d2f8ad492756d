"""The sending end: hands frames to a running LiveSMLM.

    with FrameSender("tcp://127.0.0.1:5555") as sender:
        for index, pixels in enumerate(camera):
            sender.send(Frame(pixels, index))
        sender.end()

How it knows that the receiver is ready (the same holds for senders that others write):

* `push`: the socket has IMMEDIATE set and polls POLLOUT, which is true once a receiver has connected. Then nothing is
  lost: a full queue blocks the sender.
* `pub`: the socket is an XPUB and waits for the message 0x01, the receiver's subscription. What comes before is dropped
  by ZeroMQ without a word; afterwards a receiver that is too slow loses frames, which it sees as gaps in `frame`.
"""

from __future__ import annotations

import json
from math import isnan
from types import TracebackType
from typing import Any, Literal, Self

import numpy as np
import zmq

from stream.errors import FrameFormatError, SourceFault
from stream.frame import Frame, StreamInfo
from stream.links.frame_socket import FrameSocket, LinkSettings

LINGER_MS = 10_000


class FrameSender:
    """Sends frames over ZeroMQ.

    Parameters
    ----------
    address : str
        Where the receiver is, or with `bind` where it will connect.
    pattern : str
        "push" (nothing is lost; a full queue blocks) or "pub" (never blocks; losses show as gaps).
    bind : bool
        Whether this end binds the address.
    timeout_s : float
        How long to wait for a receiver, and for room in its queue.
    link : str
        `own_certificate` and `peer_certificate`, needed off loopback.

    Raises
    ------
    AddressError
        The address cannot be used.
    """

    def __init__(
        self,
        address: str,
        *,
        pattern: Literal["push", "pub"] = "push",
        bind: bool = False,
        timeout_s: float = 30.0,
        **link: Any,
    ) -> None:
        settings = LinkSettings(address=address, bind=bind, **link)
        kind = zmq.PUSH if pattern == "push" else zmq.XPUB
        self._link = FrameSocket(kind, settings, timeout_ms=round(1000 * timeout_s), linger_ms=LINGER_MS)
        self._pattern, self._timeout_s, self._ready, self._sent = pattern, timeout_s, False, 0
        self.address = self._link.address

    def wait_ready(self) -> None:
        """Wait until a receiver is there; every other method does so by itself.

        Raises
        ------
        SourceFault
            None came in time.
        """
        if self._ready:
            return
        event = zmq.POLLOUT if self._pattern == "push" else zmq.POLLIN
        if not self._link.socket.poll(round(1000 * self._timeout_s), event):
            raise SourceFault(
                f"no receiver at {self.address} after {self._timeout_s:g} s",
                limit=f"it must {'pull' if self._pattern == 'push' else 'subscribe'} there",
                remedy="start `livesmlm run` with a [source] of the same address and pattern",
            )
        self._ready = True

    def start(self, info: StreamInfo) -> None:
        """Tell the receiver what is known of the frames, so that it is set up before the first one."""
        known = {"exposure_ms": info.exposure_ms, "pixel_size_nm": info.pixel_size_nm}
        self._send({
            "type": "start",
            "shape": [info.height_px, info.width_px],
            "indexed": info.verifiable,
            "frames": info.frames,
            "camera": info.description[:256],
            **{name: value for name, value in known.items() if not isnan(value)},
        })  # fmt: skip

    def send(self, frame: Frame) -> None:
        """Send one frame.

        Raises
        ------
        FrameFormatError
            The pixels are not (y, x) uint16.
        SourceFault
            No receiver takes it in time.
        """
        pixels = frame.pixels
        if pixels.ndim != 2 or pixels.dtype != np.uint16:
            raise FrameFormatError(
                f"frame {frame.index} has shape {pixels.shape} and dtype {pixels.dtype}",
                limit="accepted: (y, x) uint16",
            )
        known = {"time_s": frame.camera_time_s, "z_um": frame.stage_z_um}
        header = {
            "dtype": "uint16",
            "shape": pixels.shape,
            "frame": int(frame.index),
            **{name: float(value) for name, value in known.items() if not isnan(value)},
            **({"axes": dict(frame.axes)} if frame.axes else {}),
        }
        self._send(header, np.ascontiguousarray(pixels, "<u2"))
        self._sent += 1

    def end(self) -> None:
        """Tell the receiver that no more frames come, and how many were sent."""
        self._send({"type": "end", "frames": self._sent})

    def close(self) -> None:
        """Wait up to 10 s until what was sent has left, and close. May be called more than once."""
        self._link.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _send(self, header: dict[str, Any], *payload: Any) -> None:
        self.wait_ready()
        try:
            self._link.socket.send_multipart([json.dumps(header).encode(), *payload])
        except zmq.Again as error:
            raise SourceFault(
                f"the receiver at {self.address} has taken no frame for {self._timeout_s:g} s, {self._sent} were sent",
                remedy="see whether `livesmlm run` still runs there",
            ) from error
