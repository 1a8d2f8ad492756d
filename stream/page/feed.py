"""Follows the run from a thread, as long as the page lives: waits for it, and comes back when it is started anew."""

from __future__ import annotations

import threading
from collections.abc import Callable

from stream.errors import LiveSMLMError
from stream.messages import Message
from stream.page.state import TOPICS
from stream.subscriber import Subscription, subscribe

ANSWER_S = 2.0
"""How long the run may take to answer before it is asked anew."""
POLL_S = 0.2


class Feed:
    """Hands on what the run publishes.

    Parameters
    ----------
    address, snapshot_address : str
        Where the run publishes, and where it answers requests.
    take : callable
        Called with each message, from the thread of the feed.
    trouble : callable
        Called, from the thread of the feed, with the reason why the run cannot be followed at the moment.
    """

    def __init__(
        self, address: str, snapshot_address: str, take: Callable[[Message], None], trouble: Callable[[str], None]
    ) -> None:
        self._addresses, self._take, self._trouble = (address, snapshot_address), take, trouble
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="page-feed")

    def start(self) -> None:
        """Begin to follow the run."""
        self._thread.start()

    def stop(self) -> None:
        """Stop following; returns when the thread has ended."""
        self._stop.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._stop.is_set():
            try:
                with subscribe(*self._addresses, TOPICS, ANSWER_S) as subscription:
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
