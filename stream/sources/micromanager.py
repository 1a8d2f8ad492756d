"""Frames from Micro-Manager's Core through pycro-manager: in this process, or of a Micro-Manager that is running.

The Core numbers images when they reach its buffer, so a frame that the camera's driver lost leaves no gap: such a run
is `unverifiable`, unless the camera numbers its frames itself and `counter_tag` says where.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from stream.actuator import Setting
from stream.frame import Frame, StreamInfo
from stream.sources.core.camera import read
from stream.sources.core.connection import Connection, in_process, over_bridge
from stream.sources.core.intervals import Intervals
from stream.sources.core.property import set_core_property
from stream.sources.core.sequence import Sequence
from stream.sources.core.worker import TICK_S

DEMO = Path(__file__).parent.parent / "micromanager-demo.cfg"


class MicroManagerSettings(BaseModel):
    """`[source] kind = "micromanager"`."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    backend: Literal["bridge", "python"] = "bridge"
    """bridge: a Micro-Manager that is open on this computer; python: devices are opened by LiveSMLM itself."""
    port: int = Field(4827, ge=1, le=65_535)
    """Of bridge: where Micro-Manager's server listens (Tools, Options)."""
    adapters: Path | None = None
    """Of python: folder of device adapters, that of a Micro-Manager; the demo camera's if not given."""
    config: Path = DEMO
    """Of python: configuration file of Micro-Manager; one with its demo camera if not given."""
    buffer_mb: int = Field(512, ge=16, le=65_536)
    """Of python: size of Micro-Manager's own buffer; at least two seconds of frames."""
    exposure_ms: float | None = Field(None, gt=0, le=60_000)
    """Set before the first frame; as it is in Micro-Manager if not given."""
    counter_tag: str = ""
    """Name of the metadata in which the camera numbers its frames itself; loss before Micro-Manager shows then."""
    timeout_s: float = Field(10.0, gt=0, le=3600)
    """A Micro-Manager that does not answer for so long is given up; one that is gone, at once."""


class MicroManagerSource:
    """Yields the images of Micro-Manager's camera.

    Parameters
    ----------
    settings : MicroManagerSettings

    Attributes
    ----------
    suspected : list of int
        Frames before which one may be missing: the camera paused for longer than it does. Whoever reads it empties it.
    """

    def __init__(self, settings: MicroManagerSettings) -> None:
        self._settings = settings
        self._connection: Connection | None = None
        self._sequence: Sequence | None = None
        self.suspected: list[int] = []
        self.actuator = self

    def open(self) -> StreamInfo:
        """Connect, and read what the camera is set to. Raises as the functions of `core/connection.py`."""
        told = self._settings
        if told.backend == "bridge":
            self._connection = over_bridge(told.port, told.timeout_s)
        else:
            self._connection = in_process(told.adapters, told.config, told.buffer_mb, told.timeout_s)
        core, ask = self._connection.core, self._connection.worker.ask
        if told.exposure_ms is not None:
            ask(lambda: core.set_exposure(told.exposure_ms))
        facts = ask(lambda: read(core))
        self._sequence = Sequence(core, facts.shape, told.counter_tag)
        return StreamInfo(
            *facts.shape, verifiable=bool(told.counter_tag), exposure_ms=facts.exposure_ms,
            pixel_size_nm=facts.pixel_size_nm, record=facts.record,
            description=f"{facts.record['camera']} in {facts.record['core']}, {told.backend}",
        )  # fmt: skip

    def frames(self) -> Iterator[Frame | None]:
        """Start the camera, and yield its images until it is stopped. Raises as `Sequence.take` and `Worker.watch`."""
        connection, sequence, intervals = self._connection, self._sequence, Intervals()
        assert connection is not None, "not open"
        assert sequence is not None
        worker = connection.worker
        worker.ask(sequence.start)
        taking, begun = worker.begin(sequence.take), time.monotonic()
        while self._connection is not None:
            try:
                images = taking.result(TICK_S)
            except TimeoutError:
                worker.watch(begun)
                yield None
                continue
            taking, begun = worker.begin(sequence.take), time.monotonic()
            for frame in images:
                if intervals.suspicious(frame.camera_time_s):
                    self.suspected.append(frame.index)
                yield frame
            if not images:
                yield None

    def set(self, wanted: Setting) -> float:
        """Set a property of a device; as `set_core_property`."""
        connection = self._connection
        assert connection is not None, "not open"
        return connection.worker.ask(lambda: set_core_property(connection.core, wanted))

    def close(self) -> None:
        """Stop the camera and let go of it."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            if self._sequence is not None and not connection.worker.lost:
                connection.worker.ask(self._sequence.stop)
        finally:
            connection.close()
