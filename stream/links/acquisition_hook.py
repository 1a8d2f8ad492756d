"""For pycro-manager's `Acquisition`: each image goes to a running LiveSMLM, and on to where it is saved, unchanged.

    with AcquisitionHook("tcp://127.0.0.1:5556") as hook:
        with Acquisition(directory=..., name=..., image_process_fn=hook) as acquisition:
            acquisition.acquire(multi_d_acquisition_events(num_time_points=1000))

For acquisitions with an end: z stacks, time series, channels. A camera that runs freely belongs to the source
`micromanager`. Nothing that happens to LiveSMLM stops the acquisition: it is warned of, once.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping
from math import nan
from types import TracebackType
from typing import Any, Self

import numpy as np

from stream.errors import LiveSMLMError
from stream.frame import Frame
from stream.links.send import FrameSender
from stream.links.sr_channel import CHANNEL, Answer, Image, SRChannel

Z_TAGS = ("ZPosition_um_Intended", "ZPosition_um")


class AcquisitionHook:
    """Called by an `Acquisition` with each image and its metadata; returns both as they are.

    Parameters
    ----------
    address : str
        Of the `[source] kind = "zmq_in"` of a running LiveSMLM.
    axes : mapping, optional
        Only images with these values on their axes are sent, such as `{"channel": "GFP"}`.
    picture : SRChannel, optional
        Adds the super-resolved picture to the acquisition; closed with the hook.
    **link
        As `FrameSender` takes them.

    Attributes
    ----------
    sent : int
    fault : LiveSMLMError or None
        Why no more images are sent; the acquisition goes on.
    """

    def __init__(
        self, address: str, axes: Mapping[str, Any] | None = None, picture: SRChannel | None = None, **link: Any
    ) -> None:
        self._sender, self._axes, self._picture = FrameSender(address, **link), dict(axes or {}), picture
        self.sent = 0
        self.fault: LiveSMLMError | None = None

    def __call__(self, image: Image, metadata: dict[str, Any]) -> Answer | list[Answer] | None:
        """Send an image that is wanted, and let it pass, with the picture where one is due."""
        axes = metadata.get("Axes", {})
        wanted = all(axes.get(name) == value for name, value in self._axes.items()) and axes.get("channel") != CHANNEL
        if self.fault is None and wanted:
            try:
                self._send(image, metadata)
            except LiveSMLMError as fault:
                self._give_up(fault)
        return (image, metadata) if self._picture is None else self._picture.attach(image, metadata)

    def close(self) -> None:
        """Tell LiveSMLM that no more images come. May be called more than once."""
        if self.fault is None and self.sent:
            try:
                self._sender.end()
            except LiveSMLMError as fault:
                self._give_up(fault)
        self.sent = 0
        self._sender.close()
        if self._picture is not None:
            self._picture.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _send(self, image: Image, metadata: Mapping[str, Any]) -> None:
        """Send an image with its place in the order: no camera has counted frames of an acquisition beside it."""
        pixels = np.asarray(image)
        pixels = pixels.astype(np.uint16) if pixels.dtype == np.uint8 else pixels
        z_um = next((float(metadata[tag]) for tag in Z_TAGS if tag in metadata), nan)
        host_s, axes = time.monotonic(), dict(metadata.get("Axes", {}))
        self._sender.send(Frame(pixels, self.sent, host_time_s=host_s, stage_z_um=z_um, axes=axes))  # type: ignore[arg-type]
        self.sent += 1

    def _give_up(self, fault: LiveSMLMError) -> None:
        self.fault = fault
        warnings.warn(f"LiveSMLM gets no more images, the acquisition goes on: {fault.what}", stacklevel=3)
