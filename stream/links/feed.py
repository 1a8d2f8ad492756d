"""Follows a run from a thread for as long as it is wanted: waits for it, and comes back when it is started anew."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from stream.errors import LiveSMLMError
from stream.links.messages import Message
from stream.links.subscriber import Subscription, subscribe

ANSWER_S = 2.0
"""How long the run may take to answer before it is asked anew."""
POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Origin:
    """A run that is published.

    Parameters
    ----------
    address, snapshot_address : str
        Where it publishes, and where it answers requests.
    certificate : Path or None
        The CURVE certificate that it is published with, if it is.
    """

    address: str
    snapshot_address: str
    certificate: Path | None = None


class Feed:
    """Hands on what the run publishes.

    Parameters
    ----------
    origin : Origin
        Where the run is published.
    topics : sequence of str
        What is wanted of it.
    take : callable
        Called with each message, from the thread of the feed.
    trouble : callable
        Called, from the thread of the feed, with the reason why the run cannot be followed at the moment.
    """

    def __init__(
        self,
        origin: Origin,
        topics: Sequence[str],
        take: Callable[[Message], None],
        trouble: Callable[[str], None],
    ) -> None:
        self._origin, self._topics, self._take, self._trouble = origin, topics, take, trouble
        self._reports: SimpleQueue[Mapping[str, Any]] = SimpleQueue()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="feed", daemon=True)

    def start(self) -> None:
        """Begin to follow the run."""
        self._thread.start()

    def report(self, action: Mapping[str, Any]) -> None:
        """Tell the run what was done, for its record; as `Subscription.report`, from any thread."""
        self._reports.put(action)

    def stop(self) -> None:
        """Stop following, once the run was told what is still to be told.

        A thread that still waits for a run to answer is left to end with the process.
        """
        self._stop.set()
        self._thread.join(2 * POLL_S)

    def _follow(self) -> None:
        where = self._origin
        while not self._stop.is_set():
            try:
                with subscribe(
                    where.address, where.snapshot_address, self._topics, ANSWER_S, where.certificate
                ) as subscription:
                    self._hand_on(subscription)
            except LiveSMLMError as error:
                self._trouble(error.what)
                self._stop.wait(POLL_S)

    def _hand_on(self, subscription: Subscription) -> None:
        """Hand on messages until another run begins at the same address: its snapshot is to be asked for."""
        run_id = None
        while not self._stop.is_set() or not self._reports.empty():
            self._tell(subscription)
            message = subscription.receive(POLL_S)
            if message is None:
                continue
            if run_id not in (None, message.header["run_id"]):
                return
            run_id = message.header["run_id"]
            self._take(message)

    def _tell(self, subscription: Subscription) -> None:
        try:
            while True:
                subscription.report(self._reports.get_nowait())
        except Empty:
            return
