"""Who is ready: subscribers whose subscriptions are in effect.

A subscriber subscribes to a topic of its own, `ready/<token>`, after all others, and asks on the other socket. The two
arrive in any order; it is ready, and to be told so, when both have.
"""

from __future__ import annotations

READY = b"ready/"


class Readiness:
    """Brings subscriptions and requests together."""

    def __init__(self) -> None:
        self._subscribed: set[bytes] = set()
        self._asked: dict[bytes, bytes] = {}
        self._ready: set[bytes] = set()

    def __len__(self) -> int:
        """Return how many subscribers are ready and still there."""
        return len(self._ready)

    def take_subscription(self, event: bytes) -> list[bytes] | None:
        """Take what XPUB received, 1 or 0 and a topic; return the answer that is now due: client, "ready", token."""
        begins, topic = event[:1] == b"\x01", event[1:]
        token = topic.removeprefix(READY)
        if not topic.startswith(READY):
            return None
        if begins:
            self._subscribed.add(token)
            return self._answer(token)
        self._subscribed.discard(token)
        self._ready.discard(token)
        return None

    def take_request(self, client: bytes, token: bytes) -> list[bytes] | None:
        """Take the request of a client; return the answer if it is due already: client, "ready", token."""
        self._asked[token] = client
        return self._answer(token)

    def _answer(self, token: bytes) -> list[bytes] | None:
        if token not in self._subscribed or token not in self._asked:
            return None
        self._ready.add(token)
        return [self._asked.pop(token), b"ready", token]
