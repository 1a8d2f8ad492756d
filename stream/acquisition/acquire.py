"""Main's side of the acquisition: starts the source process, hears its news, stops it, notices its death.

Examples
--------
::

    with acquire.start(factory, "lossless", ring_bytes=256_000_000, folder=out) as acquisition:
        reader = acquisition.ring.reader("analyse")
        batcher = Batcher(reader, wait=acquisition.poll)
        acquisition.go()
        while (batch := batcher.next()) is not None:
            ...
            batcher.done()
        acquisition.join()
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import TracebackType
from typing import Self

from stream.acquisition import source_process
from stream.acquisition.devices import Answer
from stream.acquisition.policy import Policy
from stream.acquisition.ring import Ring
from stream.acquisition.ring_memory import Kind, remove_block
from stream.acquisition.source_process import ANALYSE, Command, Ended, Opened, Task
from stream.actuator import Setting
from stream.books.ledger import Ledger
from stream.child import end
from stream.errors import LiveSMLMError, SourceFault
from stream.source import Source

STEP_S = 0.1
CLOSE_WITHIN_S = 10.0
SILENT_S = 30.0
NAMED_AFTER_S = 1.8  # news come every 0.2 s: named within 2 s of its last word
"""A source process that takes frames tells its news several times a second; after so long without any it hangs."""


def start(
    source: Callable[[], Source],
    policy: Policy,
    *,
    ring_bytes: int,
    folder: Path,
    readers: Mapping[str, Kind] | None = None,
    after: Setting | None = None,
) -> Acquisition:
    """Start the source process, wait until its source is open, and attach to its ring. No frame is taken before `go`.

    Parameters
    ----------
    source : callable
        Makes the source, in its process; must be picklable (`functools.partial(SomeSource, settings)`).
    policy : "lossless" or "live"
    ring_bytes : int
        Memory for the frames of the ring.
    folder : Path
        Existing output folder, for `ledger-source.json` and `spool/`.
    readers : mapping of name to "lossless" or "newest"
        Readers beside "analyse".
    after : Setting or None
        What is left behind at a device, however the run ends; None if nothing will be set.

    Raises
    ------
    LiveSMLMError
        What the source raised when it was opened, as its own class; SourceFault if its process died.
    """
    context = get_context("spawn")
    connection, theirs = context.Pipe()
    task = Task(source, policy, ring_bytes, dict(readers or {}), folder, after)
    process = context.Process(target=source_process.main, args=(task, theirs), name="livesmlm-source")
    process.start()
    theirs.close()  # so that the pipe ends when the process does
    try:
        opened = _first_message(connection, process)
        return Acquisition(process, connection, opened, Ring.attach(opened.ring))
    except BaseException:
        connection.close()
        end(process, CLOSE_WITHIN_S)
        raise


def _first_message(connection: Connection, process: SpawnProcess) -> Opened:
    try:
        message = connection.recv()
    except EOFError:
        raise _death(process) from None
    if isinstance(message, Ended):
        assert message.fault is not None
        raise message.fault
    assert isinstance(message, Opened)
    return message


def _death(process: SpawnProcess) -> SourceFault:
    """Return what to say of a process that ended without a word."""
    process.join(CLOSE_WITHIN_S)
    code = process.exitcode
    return SourceFault(
        f"the source process died (exit code {code}{', killed by a signal' if code is not None and code < 0 else ''})",
        limit="it ends with a message, whatever happens to the camera",
        remedy="see what it printed above; frames it had spooled are in the folder spool beside the results",
    )


class Acquisition:
    """A running source process. Use as a context manager: it never outlives the block.

    Attributes
    ----------
    info : StreamInfo
        What the source knows of its frames.
    ring : Ring
        Attached; take `ring.reader("analyse")`.
    actuates : bool
        The source can set properties of devices.
    remarks : list of str
        That the source does not answer at the moment, and what it had to say when it ended; taken out by who tells.
    ledger : Ledger
        The run's ledger: news of the source process is merged into it; main notes what is analysed, written, published.
    answers : deque of Answer
        What came of the settings asked for, and of the one left behind; whoever asked takes them out.
    """

    def __init__(self, process: SpawnProcess, connection: Connection, opened: Opened, ring: Ring) -> None:
        self.info, self.actuates, self.ring = opened.info, opened.actuates, ring
        self.ledger = Ledger(opened.info.verifiable)
        self.answers: deque[Answer] = deque()
        self.remarks: list[str] = []
        self._process, self._connection = process, connection
        self._fault: LiveSMLMError | None = None
        self._over = False
        self._heard_s: float | None = None
        self._named_s: float | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the source process."""
        return self._process.pid

    def go(self) -> None:
        """Let the frames come."""
        self._heard_s = time.monotonic()
        self._command("go")

    def request_stop(self) -> None:
        """Ask for no more frames from the camera; what is in spool and ring still comes."""
        self._command("stop")

    def set(self, wanted: Setting) -> None:
        """Ask for a setting of a device; what came of it is found in `answers`."""
        self._command(wanted)

    def kill(self) -> None:
        """Kill the source process; the frames in the ring can still be read."""
        self._process.kill()

    def _command(self, command: Command | Setting) -> None:
        with suppress(OSError):  # `poll` and `join` say why nobody listens
            self._connection.send(command)

    def poll(self, wait_s: float = 0.0) -> None:
        """Hear the source process, for at most `wait_s`; also fit to be the batcher's `wait`.

        Raises
        ------
        LiveSMLMError
            What ended the stream, as its own class, once the analyzer has taken all frames that came before it;
            SourceFault if the process died without a word.
        """
        if self._over and wait_s:
            time.sleep(wait_s)
        while not self._over and self._hear(wait_s):
            wait_s = 0.0
        if self._fault is not None and not self.ring.unread(ANALYSE):
            raise self._fault

    def _hear(self, wait_s: float) -> bool:
        """Take one message that comes within `wait_s`; return False if none does."""
        try:
            if not self._connection.poll(wait_s):
                return self._notice_silence()
            message = self._connection.recv()
        except (EOFError, OSError):
            message = Ended(_death(self._process))
        self._heard_s = time.monotonic()
        if isinstance(message, Ledger):
            self.ledger.merge(message)
            self._command("heard")
        elif isinstance(message, Answer):
            self.answers.append(message)
        elif isinstance(message, Ended):
            self.remarks += message.remarks
            self._end(message.fault)
        return True

    def _end(self, fault: LiveSMLMError | None) -> None:
        self._over, self._fault = True, fault
        self.ring.finish()  # a process that died could not say so itself

    def _notice_silence(self) -> bool:
        """Name a source that hangs, in a driver for example, and later end it: nothing else would.

        Decision: two limits. Context: a Micro-Manager that waits for a stage answers nobody for seconds, and no frame
        is lost meanwhile. Consequence: a person hears of it at once, the run goes on if it comes back.

        Returns
        -------
        bool
            Whether it was ended.
        """
        silent_s = 0.0 if self._heard_s is None else time.monotonic() - self._heard_s
        if silent_s >= NAMED_AFTER_S and self._named_s != self._heard_s:
            self._named_s = self._heard_s
            self.remarks.append(
                f"the source has said nothing for {silent_s:.1f} s: its camera or Micro-Manager does not answer; "
                "if it stays so, the run ends, and what came before is kept"
            )
        if silent_s < SILENT_S:
            return False
        self.kill()
        self._process.join(CLOSE_WITHIN_S)
        self._end(
            SourceFault(
                f"the source process said nothing for {SILENT_S:g} s and was ended by force: it hangs",
                limit="it tells several times a second what it received",
                remedy="look after the camera and its driver; every frame received before is analysed or spooled",
            )
        )
        return True

    def join(self, timeout_s: float = CLOSE_WITHIN_S) -> None:
        """Wait for the end of the source process; call it when the batcher has given the last batch.

        Raises
        ------
        LiveSMLMError
            What ended the stream, as its own class; SourceFault if the process died or does not end.
        """
        end_s = time.monotonic() + timeout_s
        while not self._over:
            if time.monotonic() > end_s:
                raise SourceFault(
                    f"the source process did not end within {timeout_s:g} s",
                    limit="it ends once the camera has stopped and the analyzer has taken every frame",
                    remedy="it is killed now; what it had spooled is safe",
                )
            self._hear(STEP_S)
        self._process.join(CLOSE_WITHIN_S)
        if self._fault is not None:
            raise self._fault

    def close(self) -> None:
        """End the source process; with policy "lossless" it first spools what was not taken. May be called again."""
        if self._connection.closed:
            return
        self._command("abandon")
        end_s = time.monotonic() + CLOSE_WITHIN_S
        while not self._over and time.monotonic() < end_s:
            self._hear(STEP_S)
        self._connection.close()
        end(self._process, CLOSE_WITHIN_S)
        self._process.close()
        self.ring.close()
        remove_block(self.ring.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
