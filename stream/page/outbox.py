"""What one browser has still to be sent: the newest of each thing, never a queue of old ones."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable

from pydantic import BaseModel, ConfigDict, Field

from stream.page.state import Key

Place = tuple[int, int, int]


class Wish(BaseModel):
    """What a browser sends: the tiles in its view, and those it had to forget."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    level: int = Field(ge=0)
    rows: tuple[int, int]
    columns: tuple[int, int]
    forgotten: list[Place] = Field(default=[], max_length=10_000)

    def sees(self, key: Key) -> bool:
        """Return whether a tile is in view."""
        (top, bottom), (left, right) = self.rows, self.columns
        return key.level == self.level and top <= key.row <= bottom and left <= key.column <= right


class Outbox:
    """Holds at most one entry per key; a slow browser gets fewer messages, and slows nobody.

    Parameters
    ----------
    is_overview : callable
        Whether a tile is sent to every browser, whatever it looks at.

    Attributes
    ----------
    replaced : Counter
        Per topic, how often a newer message took the place of one that this browser had not been sent yet.
    """

    def __init__(self, is_overview: Callable[[Key], bool]) -> None:
        self._is_overview = is_overview
        self._pending: dict[Key, None] = {}
        self._wish: Wish | None = None
        self._changed = asyncio.Event()
        self.replaced: Counter[str] = Counter()

    def mark(self, keys: Iterable[Key]) -> None:
        """Note that these have changed."""
        for key in keys:
            if key in self._pending and self._is_wanted(key):
                self.replaced[key.topic] += 1
            self._pending[key] = None
        self._changed.set()

    def wish(self, wish: Wish) -> None:
        """Note what the browser looks at; what it forgot is sent again when it is in view."""
        self._wish = wish
        self._pending.update((Key("tile", *place), None) for place in wish.forgotten)
        self._changed.set()

    def is_empty(self) -> bool:
        """Return whether the browser has been sent all it wants."""
        return self._first() is None

    async def next(self) -> Key:
        """Wait for, take and return what is to be sent next: small messages first, tiles last."""
        while (key := self._first()) is None:
            self._changed.clear()
            await self._changed.wait()
        del self._pending[key]
        return key

    def _first(self) -> Key | None:
        wanted = (key for key in self._pending if self._is_wanted(key))
        return min(wanted, key=lambda key: (key.topic == "tile", key.topic == "frame"), default=None)

    def _is_wanted(self, key: Key) -> bool:
        return key.topic != "tile" or self._is_overview(key) or (self._wish is not None and self._wish.sees(key))
