"""Two ways to the core: straight, or through a thread that may be given up.

A call to a server that has died never returns. So over the bridge every call is made by a thread of its own, and the
caller watches the connection meanwhile.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, Protocol, TypeVar

from stream.errors import LiveSMLMError, SourceFault
from stream.sources.micro_manager.core import Core, in_process, over_bridge, unload
from stream.sources.micro_manager.guard import Guard
from stream.sources.micro_manager.heartbeat import KNOWN_SERVER, Heartbeat
from stream.sources.micro_manager.settings import DEFAULT_BUFFER_MB, MicroManagerSettings

SILENT_S = 10.0
TICK_S = 0.05
T = TypeVar("T")


class Link(Protocol):
    """A way to the core.

    Attributes
    ----------
    dead : bool
        True once the core is gone: nothing can be asked of it, nor stopped.
    remarks : tuple of str
        What looks wrong about it.
    """

    dead: bool
    remarks: tuple[str, ...]

    def call(self, work: Callable[[Core], T]) -> T:
        """Return what `work` returns for the core.

        Raises
        ------
        SourceFault
            The core says no, or is gone.
        """

    def watch(self, running: bool) -> None:
        """Say that a sequence of ours begins or has ended: it must not outlive this process."""

    def close(self) -> None:
        """Let the core go. May be called again."""


def open_link(settings: MicroManagerSettings) -> Link:
    """Return the link that a rig asks for. Raises SourceFault or InputError if there is no core."""
    if settings.config_file is None:
        return BridgeLink(settings.port)
    return DirectLink(in_process(settings.adapters, settings.config_file, settings.buffer_mb or DEFAULT_BUFFER_MB))


class DirectLink:
    """Calls a core in this process; it ends with the process, and the camera with it.

    Parameters
    ----------
    core : Core
    """

    dead = False
    remarks: tuple[str, ...] = ()

    def __init__(self, core: Core) -> None:
        self._core: Core | None = core

    def call(self, work: Callable[[Core], T]) -> T:
        """Call at once."""
        assert self._core is not None
        try:
            return work(self._core)
        except (RuntimeError, ValueError, IndexError) as error:
            raise core_fault(error) from error

    def watch(self, running: bool) -> None:
        """Do nothing: the camera is in this process."""

    def close(self) -> None:
        """Unload the devices."""
        if self._core is not None:
            unload(self._core)
            self._core = None


class BridgeLink:
    """Calls the core of a running Micro-Manager, and notices when it is gone.

    Parameters
    ----------
    port : int

    Raises
    ------
    SourceFault
        There is no Micro-Manager at the port.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._heart = Heartbeat(port)
        self._guard = Guard(port)
        other = self._heart.version
        self.remarks: tuple[str, ...] = () if other == KNOWN_SERVER else (
            f"Micro-Manager's server speaks version {other}, the bridge was tried with {KNOWN_SERVER}",
        )  # fmt: skip
        self._tasks: SimpleQueue[Callable[[Core], Any] | None] = SimpleQueue()
        self._answers: SimpleQueue[tuple[Any, Exception | None]] = SimpleQueue()
        self._open, self.dead = True, False
        self._thread = threading.Thread(target=self._serve, name="micro-manager", daemon=True)
        self._thread.start()
        try:
            self._wait()
        except SourceFault:
            self.close()
            raise

    def _serve(self) -> None:
        """Make the calls; the core and all that comes from it stays in this thread.

        Errors leave without their traceback, which would keep the core alive: it asks the server when it is collected.
        """
        try:
            core: Core | None = over_bridge(self._port)
        except Exception as error:  # noqa: BLE001  the bridge knows no other class; the caller raises it
            self._answers.put((None, error.with_traceback(None)))
            return
        self._answers.put((None, None))
        while core is not None and (task := self._tasks.get()) is not None:
            try:
                answer: tuple[Any, Exception | None] = task(core), None
            except Exception as error:  # noqa: BLE001  as above
                answer = None, error.with_traceback(None)
            self._answers.put(answer)
            del answer, task

    def call(self, work: Callable[[Core], T]) -> T:
        """Let the thread call, and watch the server meanwhile."""
        self._tasks.put(work)
        answer: T = self._wait()
        return answer

    def _wait(self) -> Any:
        end_s = time.monotonic() + SILENT_S
        while True:
            try:
                answer, error = self._answers.get(timeout=TICK_S)
            except Empty:
                self.dead = self._heart.gone() or time.monotonic() > end_s
                if self.dead:
                    raise self._gone() from None
                continue
            if error is not None:
                raise error if isinstance(error, LiveSMLMError) else core_fault(error) from error
            return answer

    def _gone(self) -> SourceFault:
        closed = self._heart.gone()
        return SourceFault(
            f"Micro-Manager at port {self._port} is gone: "
            + ("its connection was closed" if closed else f"it gave no answer for {SILENT_S:g} s"),
            limit="a running Micro-Manager answers within milliseconds",
            remedy="start Micro-Manager again, then a new run; every frame that was received is analysed",
        )

    def watch(self, running: bool) -> None:
        """Let the guard stop the camera if this process is killed."""
        self._guard.watch(running)

    def close(self) -> None:
        """Let the core go; a thread that waits for a dead server is left to the end of the process."""
        if not self._open:
            return
        self._open = False
        self._tasks.put(None)
        if not self.dead:
            self._thread.join(SILENT_S)
        self._guard.close()
        self._heart.close()


def core_fault(error: Exception) -> SourceFault:
    """Return what the core said as an error of ours; of a Java trace the first line."""
    said = str(error).strip().splitlines()
    return SourceFault(
        f"Micro-Manager says: {said[0] if said else type(error).__name__}",
        limit="it is asked for nothing that an idle camera cannot do",
        remedy="see that the camera is on, and that no live view or other acquisition runs",
    )
