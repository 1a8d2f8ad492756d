"""Follows the run from a thread, as long as the page lives: waits for it, and comes back when it is started anew."""

from __future__ import annotations

import threading
from collections.abc import Callable

from stream.errors import LiveSMLMError
from stream.links.messages import Message
from stream.links.subscriber import Subscription, subscribe
from stream.page.origin import Origin
from stream.page.state import TOPICS

ANSWER_S = 2.0
"""How long the run may take to answer before it is asked anew."""
POLL_S = 0.2


class Feed:
    """Hands on what the run publishes.

    Parameters
    ----------
    origin : Origin
        Where the run is published.
    take : callable
        Called with each message, from the thread of the feed.
    trouble : callable
        Called, from the thread of the feed, with the reason why the run cannot be followed at the moment.
    """

    def __init__(self, origin: Origin, take: Callable[[Message], None], trouble: Callable[[str], None]) -> None:
        self._origin, self._take, self._trouble = origin, take, trouble
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="page-feed", daemon=True)

    def start(self) -> None:
        """Begin to follow the run."""
        self._thread.start()

    def stop(self) -> None:
        """Stop following. A thread that still waits for a run to answer is left to end with the process."""
        self._stop.set()
        self._thread.join(2 * POLL_S)

    def _follow(self) -> None:
        where = self._origin
        while not self._stop.is_set():
            try:
                with subscribe(
                    where.address, where.snapshot_address, TOPICS, ANSWER_S, where.certificate
                ) as subscription:
                    self._hand_on(subscription)
            except LiveSMLMError as error:
                self._trouble(error.what)
                self._stop.wait(POLL_S)

    def _hand_on(self, subscription: Subscription) -> None:
        """Hand on messages until another run begins at the same address: its snapshot is to be asked for."""
        run_id = None
        while not self._stop.is_set():
            message = subscription.receive(POLL_S)
            if message is None:
                continue
            if run_id not in (None, message.header["run_id"]):
                return
            run_id = message.header["run_id"]
            self._take(message)
