"""The newest super-resolved picture of a run, at the finest resolution that fits into a given size."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from threading import Lock
from typing import NamedTuple

import numpy as np

from stream.links.feed import Feed, Origin
from stream.links.messages import Message
from stream.picture.tiles import Float32Array, Tile

TOPICS = ("start", "tile", "health")


class Picture(NamedTuple):
    """The whole field.

    Parameters
    ----------
    density : (y, x) float32
        Localizations per pixel.
    pixel_nm : float
    localizations : int
        How many the run has had.
    frame : int
        Frames that were analysed, less one: the newest frame of a run without a gap; -1 before the first.
    """

    density: Float32Array
    pixel_nm: float
    localizations: int
    frame: int


class LivePicture:
    """Follows a run and keeps the tiles of one level; `newest` may be called from any thread.

    Parameters
    ----------
    origin : Origin
        Where the run is published.
    max_side_px : int
        The longer side of the picture has at most so many pixels.
    trouble : callable
        Called, from another thread, with the reason why the run cannot be followed at the moment.
    """

    def __init__(self, origin: Origin, max_side_px: int, trouble: Callable[[str], None]) -> None:
        self._max_side_px, self._lock = max_side_px, Lock()
        self._field_nm, self._run_id = (0.0, 0.0), ""
        self._localizations, self._frame = 0, -1
        self._tiles: dict[tuple[int, int], Tile] = {}
        self.feed = Feed(origin, TOPICS, self._take, trouble)
        self.feed.start()

    def newest(self) -> Picture | None:
        """Return the picture as it is now; None before the first tile."""
        with self._lock:
            if not self._tiles:
                return None
            pixel_nm = next(iter(self._tiles.values())).pixel_nm
            height_px, width_px = self._shape(pixel_nm)
            density = np.zeros((height_px, width_px), np.float32)
            for (row, column), tile in self._tiles.items():
                side = tile.values.shape[0]
                part = density[row * side : (row + 1) * side, column * side : (column + 1) * side]
                part[:] = tile.values[: part.shape[0], : part.shape[1]]
            return Picture(density, pixel_nm, self._localizations, self._frame)

    def close(self) -> None:
        """Stop following."""
        self.feed.stop()

    def _take(self, message: Message) -> None:
        header = message.header
        with self._lock:
            if header["run_id"] != self._run_id:
                self._run_id, self._localizations, self._frame = header["run_id"], 0, -1
                self._tiles.clear()
            if message.topic == "start":
                stream, pixel_nm = header["stream"], header["pixel_size_nm"]
                self._field_nm = (stream["height_px"] * pixel_nm, stream["width_px"] * pixel_nm)
            elif message.topic == "health":
                self._localizations, self._frame = header["localizations"], header["ledger"]["analysed"] - 1
            elif isinstance(message.payload, Tile) and self._is_wanted(message.payload):
                self._tiles[message.payload.row, message.payload.column] = message.payload

    def _shape(self, pixel_nm: float) -> tuple[int, int]:
        height_nm, width_nm = self._field_nm
        return ceil(round(height_nm / pixel_nm, 6)), ceil(round(width_nm / pixel_nm, 6))

    def _is_wanted(self, tile: Tile) -> bool:
        """Is it of the finest level that fits? The level above it would be too large, or is none."""
        side_px = max(self._shape(tile.pixel_nm))
        finer_fits = tile.level > 0 and max(self._shape(tile.pixel_nm / 2)) <= self._max_side_px
        return 0 < side_px <= self._max_side_px and not finer_fits
