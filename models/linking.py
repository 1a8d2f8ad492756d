"""Localizations of one molecule in frame after frame -> one row: more photons, smaller uncertainty.

A molecule goes on if the nearest localization of a frame is near enough, and each is the nearest to the other; it may
be missing in a few frames. The distance is measured from the mean of what was linked before, weighted by 1 / sigma^2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from models.localizations import CHANNELS, OUTSIDE, UNTOLD, Localizations, empty

Float64 = NDArray[np.float64]
AXES = ("x_nm", "y_nm", "z_nm")
MEANS = ("background", "probability", "novelty")
"""Columns of which a molecule has the mean."""


@dataclass(slots=True)
class _Open:
    """Molecules that may go on; one row each."""

    first: NDArray[np.int64]
    last: NDArray[np.int64]
    sums: dict[str, Float64]

    def where(self, rows: NDArray[np.generic]) -> _Open:
        return _Open(self.first[rows], self.last[rows], {name: values[rows] for name, values in self.sums.items()})


class Linker:
    """Takes tables in frame order and gives back molecules that have ended.

    Parameters
    ----------
    max_distance_nm : float
        Laterally; several uncertainties.
    max_gap_frames : int
        Frames that a molecule may be missing.
    """

    def __init__(self, max_distance_nm: float, max_gap_frames: int = 1) -> None:
        self._distance, self._gap = max_distance_nm, max_gap_frames
        self._open: _Open | None = None
        self._like: Localizations | None = None

    def add(self, table: Localizations, last: int) -> Localizations:
        """Take the localizations up to frame `last`; return the molecules that have ended before it.

        Without uncertainties all weigh the same. Rows that come back: `frame` is the first one, `frames`
        how many localizations were linked, positions are weighted means, photons are added up, the channel is the one
        that most of them say, by their probabilities; `flags` say whether any was located while the guard said outside.
        """
        if len(table) or self._like is None:
            self._like = table.where(slice(0, 0))
        ended = []
        for frame in np.unique(np.asarray(table["frame"])):
            ended.append(self._end(int(frame) - 1))
            self._take(_molecules(table.where(np.asarray(table["frame"]) == frame)))
        ended.append(self._end(last))
        return _table(ended, self._like)

    def finish(self) -> Localizations:
        """Return the molecules that were still on."""
        rest, self._open = self._open, None
        return empty() if self._like is None else _table([rest], self._like)

    def _end(self, frame: int) -> _Open | None:
        """Take out the molecules that cannot go on after `frame`."""
        if self._open is None:
            return None
        over = self._open.last < frame - self._gap
        ended, self._open = self._open.where(over), self._open.where(~over)
        return ended

    def _take(self, new: _Open) -> None:
        if self._open is None or not len(self._open.first):
            self._open = new
            return
        old, new_rows = self._pairs(self._open, new)
        for name, values in self._open.sums.items():
            values[old] += new.sums[name][new_rows]
        self._open.last[old] = new.last[new_rows]
        alone = np.ones(len(new.first), bool)
        alone[new_rows] = False
        self._open = _both(self._open, new.where(alone))

    def _pairs(self, old: _Open, new: _Open) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return rows of either side that are nearest to each other and near enough."""
        before, now = _places(old), _places(new)
        to_new = np.asarray(cKDTree(now).query(before, distance_upper_bound=self._distance)[1])
        to_old = np.asarray(cKDTree(before).query(now, distance_upper_bound=self._distance)[1])
        rows = np.flatnonzero(to_new < len(now))
        mutual = to_old[to_new[rows]] == rows
        return rows[mutual], to_new[rows[mutual]]


def _molecules(table: Localizations) -> _Open:
    frame, sums = np.array(table["frame"], np.int64), {"frames": np.ones(len(table))}
    for axis in AXES:
        if axis in table:
            sigma = np.asarray(table[f"sigma_{axis}"] if f"sigma_{axis}" in table else np.ones(len(table)), np.float64)
            sums |= {f"weight_{axis}": sigma**-2, axis: np.asarray(table[axis], np.float64) * sigma**-2}
    for name in ("photons", *MEANS):
        if name in table:
            sums[name] = np.array(table[name], np.float64)
    if "sigma_photons" in table:
        sums["sigma_photons"] = np.array(table["sigma_photons"], np.float64) ** 2
    if "channel" in table:
        channel, sure = np.asarray(table["channel"]), np.asarray(table["channel_probability"], np.float64)
        sums |= {f"channel_{k}": np.where(channel == k, sure, 0.0) for k in range(CHANNELS)}
    if "flags" in table:
        sums["outside"] = ((np.asarray(table["flags"]) & OUTSIDE) > 0).astype(np.float64)
    return _Open(frame, frame.copy(), sums)


def _places(molecules: _Open) -> Float64:
    return np.column_stack([molecules.sums[axis] / molecules.sums[f"weight_{axis}"] for axis in AXES[:2]])


def _both(one: _Open, other: _Open) -> _Open:
    sums = {name: np.concatenate((values, other.sums[name])) for name, values in one.sums.items()}
    return _Open(np.concatenate((one.first, other.first)), np.concatenate((one.last, other.last)), sums)


def _table(parts: list[_Open | None], like: Localizations) -> Localizations:
    """Turn sums into means; the rows come in the order in which the molecules appeared."""
    molecules = _molecules(like)
    for part in parts:
        molecules = molecules if part is None else _both(molecules, part)
    molecules = molecules.where(np.argsort(molecules.first, kind="stable"))
    sums, count = molecules.sums, molecules.sums["frames"]
    columns: dict[str, NDArray[np.generic]] = {"frame": molecules.first, "frames": count}
    columns |= {"photons": sums["photons"]} if "photons" in sums else {}
    for axis in AXES:
        if axis in sums:
            columns[axis] = sums[axis] / sums[f"weight_{axis}"]
            if f"sigma_{axis}" in like:
                columns[f"sigma_{axis}"] = sums[f"weight_{axis}"] ** -0.5
    columns |= {name: sums[name] / count for name in MEANS if name in sums}
    if "sigma_photons" in sums:
        columns["sigma_photons"] = np.sqrt(sums["sigma_photons"])
    if "channel_0" in sums:
        columns |= _channel(np.stack([sums[f"channel_{k}"] for k in range(CHANNELS)]))
    if "outside" in sums:
        columns["flags"] = np.where(sums["outside"] > 0, OUTSIDE, 0)
    return Localizations(columns)


def _channel(votes: Float64) -> dict[str, NDArray[np.generic]]:
    """Return the channel with the most votes (channels, n), and its share of them."""
    total = votes.sum(axis=0)
    told = total > 0
    return {
        "channel": np.where(told, votes.argmax(axis=0), UNTOLD["channel"]),
        "channel_probability": np.divide(votes.max(axis=0), total, out=np.zeros(len(total)), where=told),
    }
