"""Follows the layers that some browser shows, and only those: the run packs a layer while somebody subscribes to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from stream.links.feed import Feed, Origin
from stream.links.messages import Message


class LayerFeeds:
    """One feed for each layer that is wanted; used in the thread of the event loop.

    Parameters
    ----------
    origin : Origin
        Where the run is published.
    take : callable
        Called with each message of a layer, from the thread of its feed.
    """

    def __init__(self, origin: Origin, take: Callable[[Message], None]) -> None:
        self._origin, self._take = origin, take
        self._feeds: dict[str, Feed] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def want(self, topics: Iterable[str]) -> set[str]:
        """Follow these layers and no others; return those that are no longer followed."""
        wanted = set(topics)
        for topic in wanted - self._feeds.keys():
            self._feeds[topic] = Feed(self._origin, (topic,), self._only(topic), lambda reason: None)
            self._feeds[topic].start()
        left = self._feeds.keys() - wanted
        for topic in left:
            ending = asyncio.create_task(asyncio.to_thread(self._feeds.pop(topic).stop))
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)
        return left

    async def stop(self) -> None:
        """Follow nothing any more."""
        self.want(())
        await asyncio.gather(*self._ending)

    def _only(self, topic: str) -> Callable[[Message], None]:
        """Return what passes on the messages of a topic; that the run has ended is heard elsewhere."""

        def take(message: Message) -> None:
            if message.topic == topic:
                self._take(message)

        return take
