"""What one browser has still to be sent: the newest of each thing, never a queue of old ones."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from models.localizations import CHANNELS
from stream.links.messages import LAYER_TOPICS, PICTURE_TOPICS
from stream.page.state import Key

Place = tuple[int, int, int]
Channel = Annotated[str, Field(pattern=rf"^channel-[0-{CHANNELS - 1}]$")]
"""The layer of a colour that a network told."""
Picture = Literal["image", "prediction", "error-of-prediction"]


class Seen(BaseModel):
    """Tiles in the view of a browser, and those it had to forget."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    level: int = Field(ge=0)
    rows: tuple[int, int]
    columns: tuple[int, int]
    forgotten: list[Place] = Field(default=[], max_length=10_000)

    def has(self, key: Key) -> bool:
        """Return whether a tile is in view."""
        (top, bottom), (left, right) = self.rows, self.columns
        return key.level == self.level and top <= key.row <= bottom and left <= key.column <= right


class Wish(Seen):
    """What a browser sends: the tiles in its view, and what else it shows."""

    layers: tuple[Literal["z", "time", "photons", "outside"] | Picture | Channel, ...] = ()
    """What it colours, measures or hides by, beside the density."""
    camera: bool = False
    """Whether it shows the sum of all frames, and the newest with all its pixels."""
    pictures: dict[Picture, Seen] = {}
    """The tiles of pictures of their own, which have levels, rows and columns of their own."""

    @property
    def layer_topics(self) -> set[str]:
        """What these layers are published under."""
        return {f"layer.{layer}" for layer in self.layers}

    def sees(self, key: Key) -> bool:
        """Return whether a tile is in view."""
        if key.topic not in PICTURE_TOPICS:
            return self.has(key)
        return any(seen.has(key) for name, seen in self.pictures.items() if name == PICTURE_TOPICS[key.topic])


NOTHING = Wish(level=0, rows=(0, -1), columns=(0, -1))
RANK = {"frame": 1, "sum": 2, "tile": 3, **dict.fromkeys(LAYER_TOPICS, 4)}
"""What is sent later, because it is larger."""


class Outbox:
    """Holds at most one entry per key; a slow browser gets fewer messages, and slows nobody.

    Parameters
    ----------
    is_overview : callable
        Whether a tile is sent to every browser, whatever it looks at.

    Attributes
    ----------
    wanted : Wish
        What the browser looks at.
    replaced : Counter
        Per topic, how often a newer message took the place of one that this browser had not been sent yet.
    """

    def __init__(self, is_overview: Callable[[Key], bool]) -> None:
        self._is_overview = is_overview
        self._pending: dict[Key, None] = {}
        self.wanted = NOTHING
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
        self.wanted = wish
        forgotten = dict.fromkeys({"tile", *LAYER_TOPICS} - PICTURE_TOPICS.keys(), wish.forgotten)
        forgotten |= {f"layer.{name}": seen.forgotten for name, seen in wish.pictures.items()}
        self._pending.update((Key(topic, *place), None) for topic, places in forgotten.items() for place in places)
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
        return min(wanted, key=lambda key: RANK.get(key.topic, 0), default=None)

    def _is_wanted(self, key: Key) -> bool:
        if key.topic == "sum":
            return self.wanted.camera
        if key.topic != "tile" and key.topic not in LAYER_TOPICS:
            return True
        shown = key.topic == "tile" or key.topic in self.wanted.layer_topics
        return shown and (self._is_overview(key) or self.wanted.sees(key))
