"""Which topics somebody has subscribed to, so that what is costly to pack is packed only for those who want it."""

from __future__ import annotations


class Interest:
    """The prefixes that XPUB was told of: each once, however many subscribers share it."""

    def __init__(self) -> None:
        self._prefixes: set[str] = set()

    def take_subscription(self, event: bytes) -> None:
        """Take what XPUB received: 1 or 0, and the beginning of the topics that are wanted, or no longer."""
        prefix = event[1:].decode(errors="replace")
        if event[:1] == b"\x01":
            self._prefixes.add(prefix)
        else:
            self._prefixes.discard(prefix)

    def wants(self, topic: str) -> bool:
        """Return whether anybody gets what is published under a topic."""
        return any(topic.startswith(prefix) for prefix in self._prefixes)
