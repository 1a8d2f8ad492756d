"""Tables in frame order -> blocks of frames, always cut at the same frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.localizations import Localizations
from stream.drift.curve import AXES
from stream.drift.intersections import Points

ROWS_AT_MOST = 50_000
"""Localizations of a block that are looked at: evenly taken, they tell the drift to a fraction of a nanometre."""
FALLBACK_SIGMA_NM = (10.0, 30.0)
"""Taken for the uncertainty, laterally and axially, where a table has none."""


@dataclass(frozen=True, slots=True)
class Block:
    """Localizations of some frames in a row.

    Parameters
    ----------
    points : (n, 3) float32
        Raw positions, nm; z is 0 in a table without.
    frame : (n,) int64
    number : range
        Which numbers the block has: counted from the first frame on, blocks that were joined have several.
    sigma_nm : (float, float)
        Median uncertainty of a localization, laterally and axially; 0 axially for a table without z.
    """

    points: Points
    frame: NDArray[np.int64]
    number: range
    sigma_nm: tuple[float, float]

    def __len__(self) -> int:
        return len(self.frame)

    def parts(self, count: int) -> list[Block]:
        """Return the block cut into so many, of as many localizations each, one after another in time."""
        rows = np.array_split(np.arange(len(self)), count)
        return [replace(self, points=self.points[part], frame=self.frame[part]) for part in rows]

    def moved(self, by_nm: NDArray[np.float64]) -> Points:
        """Return the points moved by (n, 3) nm."""
        return (self.points + by_nm).astype(np.float32)


def joined(one: Block, other: Block) -> Block:
    """Return two blocks as one, of no more than ROWS_AT_MOST localizations, evenly taken."""
    points, frame = np.concatenate((one.points, other.points)), np.concatenate((one.frame, other.frame))
    both = replace(other, points=points, frame=frame, number=range(one.number.start, other.number.stop))
    return _thinned(both)


class Cutter:
    """Collects tables and gives back blocks.

    Parameters
    ----------
    block_frames : int
    min_localizations : int
        A block with fewer goes on into the next.
    """

    def __init__(self, block_frames: int, min_localizations: int) -> None:
        self._frames, self._enough = block_frames, min_localizations
        self._origin: int | None = None
        self._open: Block | None = None

    def add(self, table: Localizations, first: int, last: int) -> Iterator[Block]:
        """Take the localizations of frames `first` to `last`; yield the blocks that have ended."""
        if self._origin is None:
            self._origin = first
        number = (np.asarray(table["frame"], np.int64) - self._origin) // self._frames
        for present in range((first - self._origin) // self._frames, (last - self._origin) // self._frames + 1):
            if self._open is not None and present >= self._open.number.stop and len(self._open) >= self._enough:
                yield self._take()
            rows = number == present
            if rows.any():
                self._join(_block(table.where(rows), present))
        if self._open is not None and len(self._open) >= self._enough and self._ends(last):
            yield self._take()

    def finish(self) -> Block | None:
        """Return the block that had not ended, if it holds enough."""
        return self._take() if self._open is not None and len(self._open) >= self._enough else None

    def _ends(self, last: int) -> bool:
        assert self._origin is not None
        assert self._open is not None
        return last + 1 - self._origin >= self._open.number.stop * self._frames

    def _join(self, block: Block) -> None:
        self._open = block if self._open is None else joined(self._open, block)

    def _take(self) -> Block:
        assert self._open is not None
        block, self._open = self._open, None
        return block


def _block(table: Localizations, number: int) -> Block:
    """Return the rows whose positions are numbers."""
    columns = [np.asarray(table[name] if name in table else np.zeros(len(table)), np.float32) for name in AXES]
    points = np.stack(columns, axis=1)
    good = np.asarray(np.isfinite(points).all(axis=1), np.bool_)
    sigma = _sigma(table, good, ("sigma_x_nm", "sigma_y_nm"), FALLBACK_SIGMA_NM[0])
    sigma_z = _sigma(table, good, ("sigma_z_nm",), FALLBACK_SIGMA_NM[1]) if "z_nm" in table else 0.0
    frame = np.asarray(table["frame"], np.int64)[good]
    return _thinned(Block(points[good], frame, range(number, number + 1), (sigma, sigma_z)))


def _thinned(block: Block) -> Block:
    step = -(-len(block) // ROWS_AT_MOST) or 1
    return replace(block, points=block.points[::step], frame=block.frame[::step])


def _sigma(table: Localizations, rows: NDArray[np.bool_], names: tuple[str, ...], fallback: float) -> float:
    known = [np.asarray(table[name], np.float64)[rows] for name in names if name in table]
    values = np.concatenate([np.empty(0), *known])
    values = values[values > 0]
    return float(np.median(values)) if len(values) else fallback
