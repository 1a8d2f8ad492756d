"""A process that works beside the run on one thing at a time, so that the frames never wait for it.

It yields to everything else on the machine, and computes on one thread. When it dies, the run goes on without it.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from stream.child import end, one_thread

NICENESS = 10
CLOSE_WITHIN_S = 5.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What was found, or None if there is nothing to tell; and the seconds of a processor that it took."""

    estimate: T | None
    seconds: float


class WorkerDied(Exception):
    """The process is gone; the message says which, and with which exit code."""


class Worker(Generic[T]):
    """The process, seen from the run. Use as a context manager: it never outlives the block.

    Parameters
    ----------
    name : str
        Of the process.
    task : str
        What it does, in words.
    main : callable
        What it is; called in it with the other end of the connection, after `arguments`.
    arguments
        Cross the process boundary.

    Attributes
    ----------
    idle : bool
        Whether it waits for something to do.
    """

    def __init__(self, name: str, task: str, main: Callable[..., None], *arguments: Any) -> None:
        context = get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=main, args=(*arguments, theirs), name=name, daemon=True)
        self._task, self.idle = task, True
        with one_thread():
            self._process.start()
        theirs.close()  # so that the pipe ends when the process does

    def _hand_over(self, what: Any) -> None:
        """Give it something to do; only while it is idle. Raises WorkerDied."""
        assert self.idle, "the process has not answered yet"
        try:
            self._connection.send(what)
        except OSError as error:
            raise self._died() from error
        self.idle = False

    def poll(self, wait_s: float = 0.0) -> Answer[T] | None:
        """Return its answer, if there is one within `wait_s`. Raises WorkerDied."""
        try:
            if not self._connection.poll(wait_s):
                return None
            answer = self._connection.recv()
        except (EOFError, OSError) as error:
            raise self._died() from error
        assert isinstance(answer, Answer)
        self.idle = True
        return answer

    def _died(self) -> WorkerDied:
        self._process.join(CLOSE_WITHIN_S)
        return WorkerDied(f"the process that {self._task} died (exit code {self._process.exitcode})")

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


def work(connection: Connection, do: Callable[[Any], T | None]) -> None:
    """Be the process: do what comes until the run is gone. Ctrl-C is ignored: the run decides when it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    with suppress(EOFError, OSError):  # the run is gone
        while True:
            what = connection.recv()
            began = time.process_time()
            found = do(what)
            connection.send(Answer(found, time.process_time() - began))
