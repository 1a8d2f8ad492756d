"""A thread that talks to something that may never answer, and a watch over it.

Decision: no call to a Core is made by the thread that hands over frames. Context: when Micro-Manager dies, a call over
its bridge waits for ever. Consequence: the frames that came are safe, and the silence is noticed and named.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from stream.errors import SourceFault

T = TypeVar("T")
LOOK_AFTER_S = 1.0
"""A call that takes so long makes us look whether anybody is there."""
TICK_S = 0.05


class Worker:
    """Does one call after the other on a thread of its own.

    Parameters
    ----------
    there : callable
        Says whether whoever is called still exists; "" if so, else what is wrong.
    patience_s : float
        A call may take so long, if whoever is called exists.
    """

    def __init__(self, there: Callable[[], str], patience_s: float) -> None:
        self._there, self._patience_s = there, patience_s
        self._calls: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="micro-manager", daemon=True)
        self._thread.start()
        self.lost = False

    def begin(self, call: Callable[[], T]) -> Future[T]:
        """Let a call be done, behind those begun before."""
        future: Future[T] = Future()
        self._calls.put((future, call))
        return future

    def ask(self, call: Callable[[], T]) -> T:
        """Do a call and wait for what it returns. Raises what it raises, or SourceFault as `watch` does."""
        future, begun = self.begin(call), time.monotonic()
        while True:
            try:
                return future.result(TICK_S)
            except TimeoutError:
                if future.done():  # the call's own
                    raise
                self.watch(begun)

    def watch(self, begun_s: float) -> None:
        """Raise SourceFault if a call that was begun then (`time.monotonic`) has no hope of an answer."""
        waited_s = time.monotonic() - begun_s
        if waited_s < LOOK_AFTER_S:
            return
        wrong = self._there() or (f"it has not answered for {waited_s:.0f} s" if waited_s > self._patience_s else "")
        if wrong:
            self.lost = True
            raise SourceFault(
                f"Micro-Manager is gone: {wrong}",
                limit=f"an answer within {self._patience_s:g} s",
                remedy="start Micro-Manager again; what was received before is safe and is analysed",
            )

    def end(self) -> None:
        """Let the thread end behind what was begun; one that waits for ever is left alone, it ends with the process."""
        self._calls.put(None)
        if not self.lost:
            self._thread.join(self._patience_s)

    def _work(self) -> None:
        while (task := self._calls.get()) is not None:
            future, call = task
            try:
                future.set_result(call())
            except BaseException as error:  # noqa: BLE001  it is raised where the result is asked for
                future.set_exception(error)
