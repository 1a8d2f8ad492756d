"""The process that measures the picture, so that the frames never wait for it.

    with watch_process.start(field, settings) as process:
        if process.idle:
            process.send(rows, estimate=True)
        answer = process.poll()    # None while it works

It yields to everything else on the machine. When it dies, the run goes on without it.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from types import TracebackType
from typing import Any, Self

from stream.child import end, one_thread
from stream.quality.settings import ResolutionSettings
from stream.quality.watch import Field, Rows, Watch

NICENESS = 10
CLOSE_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows were taken; the header of an estimate if one was asked for, and the seconds of a processor it all took."""

    estimate: dict[str, Any] | None
    seconds: float


class WatchProcessDied(Exception):
    """The process is gone; the message says with which exit code."""


def start(field: Field, settings: ResolutionSettings) -> WatchProcess:
    """Start the process."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=main, args=(field, settings, theirs), name="livesmlm-resolution", daemon=True)
    with one_thread():
        process.start()
    theirs.close()  # so that the pipe ends when the process does
    return WatchProcess(process, ours)


class WatchProcess:
    """A running process. Use as a context manager: it never outlives the block.

    Attributes
    ----------
    idle : bool
        Whether it waits for rows.
    """

    def __init__(self, process: SpawnProcess, connection: Connection) -> None:
        self._process, self._connection, self.idle = process, connection, True

    def send(self, rows: Rows, estimate: bool) -> None:
        """Hand over localizations, and ask for an estimate or not; only while it is idle. Raises WatchProcessDied."""
        assert self.idle, "the process has not answered yet"
        try:
            self._connection.send((rows, estimate))
        except OSError as error:
            raise self._died() from error
        self.idle = False

    def poll(self, wait_s: float = 0.0) -> Answer | None:
        """Return its answer, if there is one within `wait_s`. Raises WatchProcessDied."""
        try:
            if not self._connection.poll(wait_s):
                return None
            answer = self._connection.recv()
        except (EOFError, OSError) as error:
            raise self._died() from error
        assert isinstance(answer, Answer)
        self.idle = True
        return answer

    def _died(self) -> WatchProcessDied:
        self._process.join(CLOSE_WITHIN_S)
        return WatchProcessDied(f"the process that measures the resolution died (exit code {self._process.exitcode})")

    def close(self) -> None:
        """End the process. May be called more than once."""
        if self._connection.closed:
            return
        self._connection.close()
        self._process.terminate()
        end(self._process, CLOSE_WITHIN_S)
        self._process.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def main(field: Field, settings: ResolutionSettings, connection: Connection) -> None:
    """Be the process. Ctrl-C is ignored: main decides when the run ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    watch = Watch(field, settings)
    with suppress(EOFError, OSError):  # main is gone
        while True:
            rows, estimate = connection.recv()
            began = time.process_time()
            watch.take(rows)
            found = watch.estimate() if estimate else None
            connection.send(Answer(found, time.process_time() - began))
