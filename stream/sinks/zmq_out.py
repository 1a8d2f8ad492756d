"""Publishes a run over ZeroMQ: tables, tiles, previews, sum, background, state of the run (`stream/links/messages.py`).

Two sockets. PUB sends to whoever listens and never waits for anybody: it drops for a subscriber that is too slow, who
sees it as a gap in `sequence`. ROUTER answers three requests:

    "ready", token        answered with the same once the subscription to `ready/<token>` is in effect
    "snapshot", topics    answered at once with "snapshot", {version, run_id, next}, and the newest message of each of
                          these topics (separated by blanks; none: all), three parts each; `next` maps every topic to
                          the `sequence` that its next live message will have
    "action", report      answered with "action" once it is in `reports` (`stream/links/reports.py`)

Decision: the publishing socket is an XPUB. Context: PUB silently drops what comes before a subscription, and only XPUB
is told when that is. Consequence: the answer to `ready` means that nothing is missed from here on; a snapshot asked for
after it and the live messages join without a gap.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
import zmq
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.guard.molecules.mean_residual import ENOUGH, MeanResidual
from models.localizations import Localizations
from models.optics.slices import PsfSlices
from stream.errors import AddressError
from stream.frame import Frame
from stream.links.messages import TOPICS, VERSION, pack_header, pack_tile
from stream.links.reports import MAX_WAITING, Report, read_report
from stream.links.sockets import bind, is_loopback, next_port
from stream.picture.tiles import Tile
from stream.sink import RunInfo
from stream.sinks.interest import Interest
from stream.sinks.readiness import Readiness

QUEUED_MESSAGES = 1000
"""Messages that wait for one slow subscriber before the next ones are dropped for it."""
TILE_PERIOD_S = 0.1
TILE_BUDGET_S = 0.005
TILE_SHARE = 0.05
"""Tiles are sent in sweeps, at most one every TILE_PERIOD_S, and in each call of `serve` for at most TILE_BUDGET_S, or
TILE_SHARE of the time since the call before: an analyzer that is too slow calls seldom, and its picture still grows."""
WAIT_FOR_SUBSCRIBERS_S = 30.0
LINGER_MS = 2000
MAX_REQUEST_BYTES = 1 << 16

Place = tuple[int, int, int]
"""Level, row and column of a tile; (0, 0, 0) for the PSF of the start, (1, 0, 0) for any later one."""


class LayerSource(Protocol):
    """Has tiles of layers beside the density; `stream.picture.layers.Layers` does."""

    names: tuple[str, ...]

    def ask_anew(self, name: str) -> None:
        """Let `changed` yield all tiles of a layer once more."""

    def changed(self, name: str) -> Iterator[Tile]:
        """Yield the tiles of a layer that changed since they were last yielded, the coarsest first."""


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
    keep : callable, optional
        Given topic, header and payload of whatever is published.
    queued_messages : int
        Messages that wait for one slow subscriber before the next ones are dropped for it; 0 drops none.

    Attributes
    ----------
    address, snapshot_address : str
        Where the sockets are bound, once `open` was called.
    reports : deque of Report
        What others have done with what was published; taken out by whoever keeps the record.
    """

    def __init__(
        self,
        settings: PublishSettings,
        clock: Callable[[], float] = time.monotonic,
        keep: Callable[[str, Mapping[str, Any], bytes], None] = lambda topic, header, payload: None,
        queued_messages: int = QUEUED_MESSAGES,
    ) -> None:
        self._settings, self._clock, self._keep, self._queued = settings, clock, keep, queued_messages
        self._began_s = self._served_s = clock()
        self.address, self.snapshot_address = settings.address, settings.snapshot_address or next_port(settings.address)
        self._context: zmq.Context[zmq.Socket[bytes]] | None = None
        self._run_id = ""
        self._next = dict.fromkeys(TOPICS, 0)
        self._latest: dict[tuple[str, Place | None], list[bytes]] = {}
        self._ready, self._interest = Readiness(), Interest()
        self.reports: deque[Report] = deque()
        self._changed: Callable[[], Iterator[Tile]] = lambda: iter(())
        self._layers: LayerSource | None = None
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
            "channels": run.channels,
        }
        self._send("start", content | facts)

    def write(self, table: Localizations, first: int, last: int) -> None:
        """Publish the localizations of frames `first`..`last` (absolute, inclusive)."""
        from stream.links.arrow import to_ipc  # loads pyarrow, which the settings in rig.toml do not need

        self._send("table", {"first": first, "last": last}, to_ipc(table))

    def skipped(self, first: int, last: int, reason: str) -> None:
        """Publish that frames `first`..`last` were not analysed: a `table` without payload."""
        self._send("table", {"first": first, "last": last, "skipped": reason})

    def follow(self, changed: Callable[[], Iterator[Tile]], layers: LayerSource | None = None) -> None:
        """Publish the tiles that `changed` yields, newest wins, whenever `serve` finds that it is time.

        Those of a layer follow them as long as somebody subscribes to it.
        """
        self._changed, self._layers = changed, layers

    def preview(self, frame: Frame) -> None:
        """Publish the pixels of a camera frame."""
        times = {"camera_time_s": frame.camera_time_s, "host_time_s": frame.host_time_s}
        content = {"index": frame.index, "shape": frame.pixels.shape, **times}
        self._send("frame", content, frame.pixels.astype("<u2", copy=False).tobytes())

    def found(self, index: int, positions_nm: NDArray[np.float32]) -> None:
        """Publish where molecules were found in a frame that was published: (n, 2) x, y."""
        content = {"index": index, "shape": positions_nm.shape}
        self._send("found", content, positions_nm.astype("<f4", copy=False).tobytes())

    def sum(self, picture: NDArray[np.float32], frames: int) -> None:
        """Publish the sum of so many camera frames, (y, x) ADU."""
        self._send("sum", {"shape": picture.shape, "frames": frames}, picture.astype("<f4", copy=False).tobytes())

    def background(self, picture: NDArray[np.float32], pixel_nm: float, frame: int) -> None:
        """Publish the background (y, x), photo-electrons per camera pixel, in cells of `pixel_nm`, up to a frame."""
        content = {"shape": picture.shape, "pixel_nm": pixel_nm, "frame": frame}
        self._send("background", content, picture.astype("<f4", copy=False).tobytes())

    def health(self, content: Mapping[str, Any]) -> None:
        """Publish rates, latencies, queue depths and the ledger."""
        self._send("health", content)

    def statistics(self, content: Mapping[str, Any]) -> None:
        """Publish what the molecules are like, beside what the model was trained on."""
        self._send("statistics", content)

    def guard(self, content: Mapping[str, Any]) -> None:
        """Publish whether the data are what the model was trained on: word, likely cause, remedy, findings."""
        self._send("guard", content)

    def residual(self, found: MeanResidual) -> None:
        """Publish the mean of the molecules that the guard has looked at, beside what was expected of them."""
        facts = {"z_nm": found.z_nm, "molecules": found.molecules, "enough": ENOUGH, "pixel_nm": found.pixel_nm}
        self._send("residual", {"shape": found.images.shape} | facts, found.images.astype("<f4", copy=False).tobytes())

    def drift(self, content: Mapping[str, Any]) -> None:
        """Publish the drift curve: frames (k,) and drift (k, 3) nm of its knots, and what it rests on."""
        self._send("drift", content)

    def resolution(self, content: Mapping[str, Any]) -> None:
        """Publish how good the picture is: resolution, precision, and where in the pixels positions lie."""
        self._send("resolution", content)

    def traces(self, content: Mapping[str, Any], rows: NDArray[np.float32]) -> None:
        """Publish bleaching steps: what all spots came to, and (n, 4) x, y, steps, probability of each."""
        self._send("traces", {"shape": rows.shape, **content}, rows.astype("<f4", copy=False).tobytes())

    def action(self, content: Mapping[str, Any]) -> None:
        """Publish what was done to the microscope, and why."""
        self._send("action", content)

    def phase(self, coefficients: NDArray[np.float32], content: Mapping[str, Any]) -> None:
        """Publish Zernike coefficients, (27,) waves, Noll 2..28."""
        self._send("phase", content, coefficients.astype("<f4", copy=False).tobytes())

    def replay(self, topic: str, header: Mapping[str, Any], payload: bytes) -> None:
        """Publish again what was kept of another run, under the name of this one and with its own `run_s`."""
        self._send(topic, header, payload, _place_of_psf(header["psf_epoch"]) if topic == "psf" else None)

    def psf(self, psf: PsfSlices, epoch: int) -> None:
        """Publish the PSF that localizations of an epoch are fitted with; that of the start stays in snapshots."""
        content = {"shape": psf.images.shape, "psf_epoch": epoch, "z_nm": psf.z_nm, "pixel_nm": psf.pixel_nm}
        self._send("psf", content, psf.images.astype("<f4", copy=False).tobytes(), place=_place_of_psf(epoch))

    def end(self, content: Mapping[str, Any]) -> None:
        """Publish all tiles that still differ from what was published, then `end`."""
        for sweep in (self._sweep or (), self._all_changed()):
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
        socket.sndhwm, socket.maxmsgsize = self._queued, MAX_REQUEST_BYTES
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
        run_s = round(self._clock() - self._began_s, 3)
        header = {"run_s": run_s, **content, "version": VERSION, "run_id": self._run_id, "sequence": self._next[topic]}
        self._next[topic] += 1
        self._keep(topic, header, payload)
        parts = [topic.encode(), pack_header(header), payload]
        self._out.send_multipart(parts, zmq.DONTWAIT)
        if topic != "table":
            self._latest[(topic, place)] = parts

    def _send_tile(self, tile: Tile) -> None:
        topic = "tile" if tile.layer == "density" else f"layer.{tile.layer}"
        self._send(topic, *pack_tile(tile), place=(tile.level, tile.row, tile.column))

    def _all_changed(self) -> Iterator[Tile]:
        """Yield what changed of the density, then of the layers that somebody wants."""
        yield from self._changed()
        for name in self._layers.names if self._layers else ():
            if self._layers and self._interest.wants(f"layer.{name}"):
                yield from self._layers.changed(name)

    def _send_due_tiles(self) -> None:
        start = self._clock()
        budget_s, self._served_s = max(TILE_BUDGET_S, TILE_SHARE * (start - self._served_s)), start
        if self._sweep is None and start >= self._next_sweep_s:
            self._sweep, self._next_sweep_s = self._all_changed(), start + TILE_PERIOD_S
        for tile in self._sweep or ():
            self._send_tile(tile)
            if self._clock() - start >= budget_s:
                return
        self._sweep = None

    def _take_subscription(self, parts: list[bytes]) -> None:
        event, names = parts[0], self._layers.names if self._layers else ()
        wanted = {name for name in names if self._interest.wants(f"layer.{name}")}
        self._interest.take_subscription(event)
        for name in names:
            if self._interest.wants(f"layer.{name}") != (name in wanted):
                self._begin_anew(name)
        self._reply(self._ready.take_subscription(event))

    def _begin_anew(self, name: str) -> None:
        """Forget what was published of a layer that nobody wanted meanwhile, or wants any more."""
        assert self._layers is not None
        self._layers.ask_anew(name)
        for key in [key for key in self._latest if key[0] == f"layer.{name}"]:
            del self._latest[key]

    def _take_request(self, parts: list[bytes]) -> None:
        client, request, argument, *_ = [*parts, b"", b""]
        if request == b"ready":
            self._reply(self._ready.take_request(client, argument))
        elif request == b"snapshot":
            self._reply([client, b"snapshot", *self._snapshot(argument)])
        elif request == b"action":
            self._reply([client, *self._take_report(argument)])
        else:
            self._reply([client, b"error", b"requests are: ready, snapshot, action"])

    def _take_report(self, argument: bytes) -> list[bytes]:
        if len(self.reports) >= MAX_WAITING:
            return [b"error", b"%d reports wait already" % MAX_WAITING]
        try:
            self.reports.append(read_report(argument))
        except ValueError as reason:
            return [b"error", str(reason).encode()]
        return [b"action"]

    def _reply(self, parts: list[bytes] | None) -> None:
        if parts is not None:
            self._requests.send_multipart(parts, zmq.DONTWAIT)

    def _snapshot(self, topics: bytes) -> list[bytes]:
        """Return the newest message of each wanted topic, of each place for tiles."""
        wanted = set(topics.decode(errors="replace").split()) or set(TOPICS)
        header = {"version": VERSION, "run_id": self._run_id, "next": self._next}
        messages = [parts for key, parts in self._latest.items() if key[0] in wanted]
        return [pack_header(header), *(part for message in messages for part in message)]


def _place_of_psf(epoch: int) -> Place:
    """Return what a PSF replaces in snapshots: that of the start stays."""
    return min(epoch, 1), 0, 0
