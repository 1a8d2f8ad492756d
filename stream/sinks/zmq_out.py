"""Publishes a run over ZeroMQ: tables, tiles, previews, background, state of the run (`stream/links/messages.py`).

Two sockets. PUB sends to whoever listens and never waits for anybody: it drops for a subscriber that is too slow, who
sees it as a gap in `sequence`. ROUTER answers two requests:

    "ready", token        answered with the same once the subscription to `ready/<token>` is in effect
    "snapshot", topics    answered at once with "snapshot", {version, run_id, next}, and the newest message of each of
                          these topics (separated by blanks; none: all), three parts each; `next` maps every topic to
                          the `sequence` that its next live message will have

Decision: the publishing socket is an XPUB. Context: PUB silently drops what comes before a subscription, and only XPUB
is told when that is. Consequence: the answer to `ready` means that nothing is missed from here on; a snapshot asked for
after it and the live messages join without a gap.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import zmq
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.localizations import Localizations
from stream.errors import AddressError
from stream.frame import Frame
from stream.links.messages import TOPICS, VERSION, pack_header, pack_tile
from stream.links.sockets import bind, is_loopback, next_port
from stream.picture.tiles import Tile
from stream.sink import RunInfo
from stream.sinks.readiness import Readiness

QUEUED_MESSAGES = 1000
"""Messages that wait for one slow subscriber before the next ones are dropped for it."""
TILE_PERIOD_S = 0.1
TILE_BUDGET_S = 0.005
"""Tiles are sent in sweeps, at most one every TILE_PERIOD_S, and for at most TILE_BUDGET_S per call of `serve`."""
WAIT_FOR_SUBSCRIBERS_S = 30.0
LINGER_MS = 2000
MAX_REQUEST_BYTES = 1 << 16

Place = tuple[int, int, int]
"""Level, row and column of a tile."""


class PublishSettings(BaseModel):
    """`[publish]`: where the run can be followed."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    address: str = Field("tcp://127.0.0.1:5557", pattern=r"^tcp://.+:(\d+|\*)$")
    """Where messages are published; `*` as the port picks a free one."""
    snapshot_address: str | None = Field(None, pattern=r"^tcp://.+:(\d+|\*)$")
    """Where snapshots are answered; one port above `address` if not given."""
    subscribers: int = Field(0, ge=0, le=1000)
    """The run starts when this many subscribers are ready."""
    certificate: Path | None = None
    """Secret CURVE certificate (`zmq.auth.create_certificates`); needed to publish to other computers."""

    @model_validator(mode="after")
    def _loopback_or_curve(self) -> Self:
        for address in (self.address, self.snapshot_address):
            if address and self.certificate is None and not is_loopback(address):
                raise ValueError(
                    f"{address} can be reached from other computers, which needs a certificate; "
                    "without one use tcp://127.0.0.1:PORT"
                )
        return self


class ZmqOut:
    """A sink for tables that also publishes tiles, previews and the state of the run. Used by one thread only.

    Parameters
    ----------
    settings : PublishSettings
        Where to publish.
    clock : callable
        Seconds, monotonic.

    Attributes
    ----------
    address, snapshot_address : str
        Where the sockets are bound, once `open` was called.
    """

    def __init__(self, settings: PublishSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._clock = settings, clock
        self.address, self.snapshot_address = settings.address, settings.snapshot_address or next_port(settings.address)
        self._context: zmq.Context[zmq.Socket[bytes]] | None = None
        self._run_id = ""
        self._next = dict.fromkeys(TOPICS, 0)
        self._latest: dict[tuple[str, Place | None], list[bytes]] = {}
        self._ready = Readiness()
        self._changed: Callable[[], Iterator[Tile]] = lambda: iter(())
        self._sweep: Iterator[Tile] | None = None
        self._next_sweep_s = -float("inf")

    def open(self, run: RunInfo) -> None:
        """Bind both sockets, wait for the subscribers that are expected, and publish `start`.

        Raises
        ------
        AddressError
            A port is taken, the certificate cannot be read, or the subscribers did not come.
        """
        self._run_id = run.run_id
        self._context = zmq.Context()
        try:
            self._out, self.address = self._bind(zmq.XPUB, self.address)
            self._requests, self.snapshot_address = self._bind(zmq.ROUTER, self.snapshot_address)
            self._await_subscribers()
        except BaseException:
            self.close()
            raise
        stream = {"height_px": run.stream.height_px, "width_px": run.stream.width_px, "frames": run.stream.frames}
        content = {"stream": stream | {"description": run.stream.description}, "pixel_size_nm": run.pixel_size_nm}
        facts = {
            "rig": run.rig,
            "card": run.card,
            "versions": run.versions,
            "engine": run.engine,
            "warnings": run.warnings,
        }
        self._send("start", content | facts)

    def write(self, table: Localizations, first: int, last: int) -> None:
        """Publish the localizations of frames `first`..`last` (absolute, inclusive)."""
        from stream.links.arrow import to_ipc  # loads pyarrow, which the settings in rig.toml do not need

        self._send("table", {"first": first, "last": last}, to_ipc(table))

    def skipped(self, first: int, last: int, reason: str) -> None:
        """Publish that frames `first`..`last` were not analysed: a `table` without payload."""
        self._send("table", {"first": first, "last": last, "skipped": reason})

    def follow(self, changed: Callable[[], Iterator[Tile]]) -> None:
        """Publish the tiles that `changed` yields, newest wins, whenever `serve` finds that it is time."""
        self._changed = changed

    def preview(self, frame: Frame) -> None:
        """Publish the pixels of a camera frame."""
        times = {"camera_time_s": frame.camera_time_s, "host_time_s": frame.host_time_s}
        content = {"index": frame.index, "shape": frame.pixels.shape, **times}
        self._send("frame", content, frame.pixels.astype("<u2", copy=False).tobytes())

    def background(self, picture: NDArray[np.float32], pixel_nm: float, frame: int) -> None:
        """Publish the background (y, x), photo-electrons per camera pixel, in cells of `pixel_nm`, up to a frame."""
        content = {"shape": picture.shape, "pixel_nm": pixel_nm, "frame": frame}
        self._send("background", content, picture.astype("<f4", copy=False).tobytes())

    def health(self, content: Mapping[str, Any]) -> None:
        """Publish rates, latencies, queue depths and the ledger."""
        self._send("health", content)

    def guard(self, content: Mapping[str, Any]) -> None:
        """Publish whether the data are inside the model's sample space: score and reason."""
        self._send("guard", content)

    def drift(self, content: Mapping[str, Any]) -> None:
        """Publish the drift curve: frames (k,) and drift (k, 3) nm of its knots, and what it rests on."""
        self._send("drift", content)

    def action(self, content: Mapping[str, Any]) -> None:
        """Publish what was done to the microscope, and why."""
        self._send("action", content)

    def phase(self, coefficients: NDArray[np.float32], content: Mapping[str, Any]) -> None:
        """Publish Zernike coefficients, (27,) waves, Noll 2..28."""
        self._send("phase", content, coefficients.astype("<f4", copy=False).tobytes())

    def end(self, content: Mapping[str, Any]) -> None:
        """Publish all tiles that still differ from what was published, then `end`."""
        for sweep in (self._sweep or (), self._changed()):
            for tile in sweep:
                self._send_tile(tile)
        self._send("end", content)

    def serve(self, wait_s: float = 0.0) -> None:
        """Answer requests and publish tiles; call it often. Returns at once, or `wait_s` later if nothing comes in."""
        poller = zmq.Poller()
        poller.register(self._out, zmq.POLLIN)
        poller.register(self._requests, zmq.POLLIN)
        for socket, _ in poller.poll(int(1000 * wait_s)):
            take = self._take_subscription if socket is self._out else self._take_request
            for _ in range(QUEUED_MESSAGES):
                try:
                    take(socket.recv_multipart(zmq.DONTWAIT))
                except zmq.Again:
                    break
        self._send_due_tiles()

    def wait_ready(self, subscribers: int, timeout_s: float) -> bool:
        """Serve until this many subscribers are ready; False if they are not after `timeout_s`."""
        until = self._clock() + timeout_s
        while len(self._ready) < subscribers and self._clock() < until:
            self.serve(wait_s=0.05)
        return len(self._ready) >= subscribers

    def close(self) -> None:
        """Send what is queued, for at most two seconds, and release the ports. May be called more than once."""
        if self._context is not None:
            self._context.destroy(linger=LINGER_MS)
            self._context = None

    def _bind(self, kind: int, address: str) -> tuple[zmq.Socket[bytes], str]:
        assert self._context is not None
        socket = self._context.socket(kind)
        socket.sndhwm, socket.maxmsgsize = QUEUED_MESSAGES, MAX_REQUEST_BYTES
        return socket, bind(socket, address, self._settings.certificate)

    def _await_subscribers(self) -> None:
        if not self.wait_ready(self._settings.subscribers, WAIT_FOR_SUBSCRIBERS_S):
            raise AddressError(
                f"{len(self._ready)} subscribers came to {self.address} within {WAIT_FOR_SUBSCRIBERS_S:g} s",
                limit=f"[publish] subscribers = {self._settings.subscribers} are expected",
                remedy="start the subscribers, or set subscribers = 0",
            )

    def _send(self, topic: str, content: Mapping[str, Any], payload: bytes = b"", place: Place | None = None) -> None:
        """Publish a message; keep it for snapshots, where it replaces the one before of its topic and place."""
        header = {**content, "version": VERSION, "run_id": self._run_id, "sequence": self._next[topic]}
        self._next[topic] += 1
        parts = [topic.encode(), pack_header(header), payload]
        self._out.send_multipart(parts, zmq.DONTWAIT)
        if topic != "table":
            self._latest[(topic, place)] = parts

    def _send_tile(self, tile: Tile) -> None:
        self._send("tile", *pack_tile(tile), place=(tile.level, tile.row, tile.column))

    def _send_due_tiles(self) -> None:
        start = self._clock()
        if self._sweep is None and start >= self._next_sweep_s:
            self._sweep, self._next_sweep_s = self._changed(), start + TILE_PERIOD_S
        for tile in self._sweep or ():
            self._send_tile(tile)
            if self._clock() - start >= TILE_BUDGET_S:
                return
        self._sweep = None

    def _take_subscription(self, parts: list[bytes]) -> None:
        self._reply(self._ready.take_subscription(parts[0]))

    def _take_request(self, parts: list[bytes]) -> None:
        client, request, argument, *_ = [*parts, b"", b""]
        if request == b"ready":
            self._reply(self._ready.take_request(client, argument))
        elif request == b"snapshot":
            self._reply([client, b"snapshot", *self._snapshot(argument)])
        else:
            self._reply([client, b"error", b"requests are: ready, snapshot"])

    def _reply(self, parts: list[bytes] | None) -> None:
        if parts is not None:
            self._requests.send_multipart(parts, zmq.DONTWAIT)

    def _snapshot(self, topics: bytes) -> list[bytes]:
        """Return the newest message of each wanted topic, of each place for tiles."""
        wanted = set(topics.decode(errors="replace").split()) or set(TOPICS)
        header = {"version": VERSION, "run_id": self._run_id, "next": self._next}
        messages = [parts for key, parts in self._latest.items() if key[0] in wanted]
        return [pack_header(header), *(part for message in messages for part in message)]
