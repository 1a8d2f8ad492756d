"""The process that the camera has to itself: frames from the source into ring and spool, news to main.

    opening -> ready -> acquiring -> draining -> ended
                            |            |
                            +------------+--> rescuing -> ended

acquiring -> draining: main says "stop", or the source ends or fails. -> rescuing: main is gone, or has abandoned what
it did not take. draining: the spool still goes through the ring, and the analyzer takes what is there. rescuing
(lossless only): all that main has not given back, and all frames to come, go to the spool, until the source ends or a
signal comes.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Literal

from stream.acquisition.devices import Answer, Devices
from stream.acquisition.policy import READER_KIND, Feed, Live, Lossless, Policy
from stream.acquisition.recorder import RECORD
from stream.acquisition.ring import Ring
from stream.acquisition.ring_memory import Kind
from stream.acquisition.spool import Spool
from stream.actuator import Actuator, Setting
from stream.books.axes_log import AxesLog
from stream.books.ledger import Ledger
from stream.books.ranges import Ranges
from stream.errors import LiveSMLMError, SourceFault, StorageFault
from stream.frame import StreamInfo
from stream.source import Source

ANALYSE = "analyse"
CHORES_EVERY_S = 0.01
NEWS_EVERY_S = 0.2
SAVE_EVERY_S = 1.0
SAVE_SHARE = 20  # saving the ledger takes at most one part in so many of the time
IDLE_S = 0.001

Command = Literal["go", "stop", "abandon", "heard"]


@dataclass(frozen=True, slots=True)
class Task:
    """What main gives the source process to do; crosses the process boundary."""

    source: Callable[[], Source]
    policy: Policy
    ring_bytes: int
    readers: Mapping[str, Kind]
    folder: Path
    after: Setting | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """First message to main: the source is open, the ring is there; `actuates`: it can set devices."""

    info: StreamInfo
    ring: str
    actuates: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """Last message to main: `fault` ended the stream, if it did not simply end; `remarks` are what else to know."""

    fault: LiveSMLMError | None
    remarks: tuple[str, ...] = ()


class Control:
    """What main and the system want: reads the pipe and the signals.

    Decision: Ctrl-C is ignored until main is gone. Context: a terminal sends it to all processes of the group, and
    main still wants the frames that wait. Consequence: main alone decides when the camera stops.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.go = self.stop = self.main_gone = self.abandoned = False
        self.listening = True
        self.asked: list[Setting] = []
        for name in ("SIGINT", "SIGHUP"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), signal.SIG_IGN)
        signal.signal(signal.SIGTERM, self._on_signal)

    def _on_signal(self, number: int, frame: object) -> None:
        self.stop = True

    def read(self) -> None:
        """Take the commands that have come."""
        try:
            while not self.main_gone and self._connection.poll():
                self._obey(self._connection.recv())
        except (EOFError, OSError):
            self._lose_main()

    def _obey(self, command: Command | Setting) -> None:
        if isinstance(command, Setting):
            self.asked.append(command)
            return
        self.go |= command == "go"
        self.stop |= command in ("stop", "abandon")
        self.abandoned |= command == "abandon"
        self.listening |= command == "heard"

    def _lose_main(self) -> None:
        self.main_gone = True
        signal.signal(signal.SIGINT, self._on_signal)

    def send(self, message: Opened | Ledger | Answer | Ended) -> None:
        """Tell main; a main that is gone is no error."""
        try:
            if not self.main_gone:
                self._connection.send(message)
        except OSError:
            self._lose_main()


class Books:
    """The source's ledger: kept whole for the file, sent to main as news.

    Decision: the next news is sent when main has heard the last. Context: a pipe that nobody reads fills, and a full
    one stops the sender. Consequence: a busy main never stops the camera; its news only comes later.
    """

    def __init__(self, control: Control, path: Path, verifiable: bool) -> None:
        self._control, self._path = control, path
        self.axes = AxesLog(path.parent)
        self.now, self._unsent, self._whole = (Ledger(verifiable) for _ in range(3))
        self._send_at = self._save_at = time.monotonic()
        self.fault: StorageFault | None = None

    def keep(self) -> None:
        """Send news and save the file, each when it is time."""
        if time.monotonic() >= self._send_at and self._control.listening:
            self.send()
        if time.monotonic() >= self._save_at:
            self.save("running")

    def _carry(self) -> None:
        for ledger in (self._unsent, self._whole):
            ledger.merge(self.now)
        self.now = Ledger(self.now.verifiable, self.now.newest)

    def send(self) -> None:
        """Tell main what is new."""
        self._carry()
        self._control.listening = False
        self._control.send(self._unsent)
        self._unsent = Ledger(self.now.verifiable)
        self._send_at = time.monotonic() + NEWS_EVERY_S

    def save(self, ended: str) -> None:
        """Write `ledger-source.json`; a fault is kept for the end of the run, the frames are worth more."""
        self._carry()
        begun = time.monotonic()
        try:
            self._whole.write(self._path, ended)
            self.axes.save()
        except StorageFault as fault:
            self.fault = fault
        now = time.monotonic()
        self._save_at = now + max(SAVE_EVERY_S, SAVE_SHARE * (now - begun))


class Acquirer:
    """Runs one open source to its end."""

    def __init__(
        self, task: Task, source: Source, info: StreamInfo, ring: Ring, control: Control, devices: Devices | None
    ) -> None:
        self._task, self._source, self._info, self._ring, self._control = task, source, info, ring, control
        self._devices = devices
        self._books = Books(control, task.folder / "ledger-source.json", info.verifiable)
        self._spool = Spool(task.folder / "spool", ring.shape)
        self._feed = self._make_feed()
        self._rescued = False
        self._refused: Counter[str] = Counter()
        self._chores_at = 0.0

    def _make_feed(self) -> Feed:
        if self._task.policy == "live":
            return Live(self._ring, lambda: self._books.now)
        return Lossless(self._ring, self._spool, lambda: self._books.now, self._idle if self._info.waits else None)

    def run(self) -> LiveSMLMError | None:
        """Acquire until the source ends, main asks to stop, or a fault; return the fault."""
        fault = self._guarded(self._acquire)
        self._put_back()
        for step in (self._source.close, self._drain):
            failed = self._guarded(step)
            fault = fault or failed
        self._ring.finish()
        while (self._ring.unread(ANALYSE) or self._ring.needed_by(RECORD)) and not self._rescued:
            fault = self._guarded(self._idle) or fault  # a recorder that starts slowly may come when all was analysed
        self._spool.close()
        self._hear_source()
        self._books.send()
        self._books.save(f"fault: {fault}" if fault else "interrupted" if self._rescued else "finished")
        return fault or self._books.fault

    def _put_back(self) -> None:
        if self._devices is not None:
            self._devices.put_back(self._books.now.newest)

    def _hear_source(self) -> None:
        """Book what the source itself has turned away, missed or suspects since the last time."""
        refused = Counter(getattr(self._source, "refused", {}))
        for reason, frames in (refused - self._refused).items():
            self._books.now.refuse(reason, frames)
        self._refused = refused
        for name in ("missing", "suspicious"):
            found: dict[str, Ranges] = getattr(self._source, name, {})
            self._books.now.note(name, found)
            found.clear()

    def _guarded(self, step: Callable[[], None]) -> LiveSMLMError | None:
        """Run a step; return its error, so that what follows still keeps the frames that were good."""
        try:
            step()
        except Exception as error:  # noqa: BLE001  the border of the process: main raises it again
            return as_fault(error)
        return None

    def _acquire(self) -> None:
        for frame in self._source.frames():
            self._chores()
            if frame is not None:
                self._ring.check(frame)
            if frame is not None and self._books.now.receive(frame.index):
                self._books.axes.note(frame)
                self._feed.put(frame)
            else:
                self._feed.pump()
            if self._control.stop:
                return

    def _drain(self) -> None:
        while self._feed.waiting:
            self._feed.pump()
            self._idle()

    def _idle(self) -> None:
        self._chores()
        time.sleep(IDLE_S)

    def _chores(self) -> None:
        """Hear main, keep the books, and rescue the frames once main is gone."""
        if time.monotonic() < self._chores_at:
            return
        self._chores_at = time.monotonic() + CHORES_EVERY_S
        self._control.read()
        if self._devices is not None:
            # a frame that is being handed over is not booked yet, and was taken before
            self._devices.serve(self._control.asked, self._books.now.newest + 1)
        self._hear_source()
        self._books.keep()
        if (self._control.main_gone or self._control.abandoned) and not self._rescued:
            self._rescued = True
            self._put_back()
            # what can wait is still where it came from, and a live run without an analyzer has no purpose
            self._control.stop |= self._info.waits or self._task.policy == "live"
            try:
                self._feed.rescue()
            finally:
                self._ring.detach(ANALYSE)  # should main live after all, it must not analyse them a second time


def as_fault(error: Exception) -> LiveSMLMError:
    """Return an error that main can raise: ours as it is, any other, which is a defect, by name and traceback."""
    if isinstance(error, LiveSMLMError):
        return error
    return SourceFault(
        f"the source failed: {type(error).__name__}: {error}",
        limit="".join(traceback.format_exception(error)).rstrip(),
        remedy="this is a defect of the source, not of your settings: please report it with the lines above",
    )


def _serve(task: Task, source: Source, control: Control) -> LiveSMLMError | None:
    """Open the source and the ring, wait for main's go, acquire."""
    info = source.open()
    shape = (info.height_px, info.width_px)
    readers: dict[str, Kind] = {ANALYSE: READER_KIND[task.policy], **task.readers}
    actuator: Actuator | None = getattr(source, "actuator", None)
    devices = Devices(actuator, task.after, control.send) if actuator and task.after else None
    with Ring.create(shape, task.ring_bytes // (2 * shape[0] * shape[1]), readers) as ring:
        control.send(Opened(info, ring.name, actuator is not None))
        while not (control.go or control.stop or control.main_gone):
            control.read()
            if devices is not None:
                devices.serve(control.asked, -1)
            time.sleep(IDLE_S)
        if control.go:
            return Acquirer(task, source, info, ring, control, devices).run()
        if devices is not None:
            devices.put_back(-1)
        return None


def main(task: Task, connection: Connection) -> None:
    """Be the source process.

    Decision: it leaves at once when it has said its last word. Context: threads and exit handlers of a camera's library
    may wait for ever for a peer that is gone. Consequence: nothing may be left to the interpreter's end.
    """
    control = Control(connection)
    remarks: tuple[str, ...] = ()
    try:
        source = task.source()
        try:
            fault = _serve(task, source, control)
        finally:
            source.close()
            remarks = tuple(getattr(source, "remarks", ()))
    except Exception as error:  # noqa: BLE001  the border of the process: main raises it again
        fault = as_fault(error)
    control.send(Ended(fault, remarks))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
