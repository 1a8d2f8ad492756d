"""Are the molecules those that the network was trained on: photons, background, height, uncertainty, density, on-time.

Medians against the ranges are alarms of their own (`stream/books/alarms_of_data.py`); here shares of molecules at and
beyond the ends add up to a verdict. All tests together raise one false alarm in ten hours (`cusum.py`).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from models.guard.coverage.crowding import Crowding
from models.guard.coverage.edge_share import EdgeShare
from models.guard.coverage.edges import edges
from models.guard.coverage.staying import Staying
from models.guard.verdict import Finding
from models.localizations import Localizations
from models.sample_space import Range, SampleSpace
from models.stays import SAME_NM, Stays

LEAST_GAP_FRAMES, MOST_GAP_FRAMES, GAP_ON_TIMES = 16, 1000, 5
"""Molecules are looked at in one frame, and again when nearly all of them have gone."""
FORGOTTEN = 0.02
TESTS_BESIDE_EDGES = 3


class Coverage:
    """Watches the molecules.

    Parameters
    ----------
    space : SampleSpace
        Of the model's card.
    height_nm, width_nm : float
        Of the field.
    reference : mapping of column to (low, high)
        Central 98 % of matched molecules, for what the space has no range of; may be empty.
    """

    def __init__(
        self, space: SampleSpace, height_nm: float, width_nm: float, reference: Mapping[str, tuple[float, float]]
    ) -> None:
        known = edges(space, reference)
        tests = len(known) + TESTS_BESIDE_EDGES
        self._edges = [EdgeShare(edge, tests) for edge in known]
        density, on_time = (space.fields.get(name) for name in ("density_per_um2", "on_time_frames"))
        self._crowding = Crowding(density.high, (height_nm, width_nm), tests) if isinstance(density, Range) else None
        self._staying = Staying(on_time, tests) if isinstance(on_time, Range) else None
        self._next, self._seen, self._again = -1, 0.0, 0.0
        self._last = np.zeros((0, 2))

    def take(self, table: Localizations, index: NDArray[np.int64]) -> None:
        """Take what was located in the frames of a batch.

        Parameters
        ----------
        table : Localizations
            In frame order.
        index : (t,) int64
            All frames of the batch, ascending, also those without a localization.
        """
        frames, last = np.asarray(table["frame"]), int(index[-1]) if len(index) else -1
        due = index[np.searchsorted(index, self._next) :]
        while len(due):
            first = int(due[0])
            start, end, after = np.searchsorted(frames, [first, first + 1, first + 2])
            self._look(_placed(table.where(slice(start, end))))
            if first < last:
                self._pair(_placed(table.where(slice(start, after))), int(end - start), int(after - end))
            self._next = first + self._gap()
            due = due[np.searchsorted(due, self._next) :]

    def findings(self) -> list[Finding]:
        """Return what is not as in the training now."""
        found = [edge.finding() for edge in self._edges if edge.raised]
        found += self._crowding.findings() if self._crowding else []
        return found + (self._staying.findings() if self._staying else [])

    def _look(self, rows: Localizations) -> None:
        fresh = rows.where(self._fresh(rows))
        for edge in self._edges:
            if edge.edge.column in fresh:
                edge.take(np.asarray(fresh[edge.edge.column], np.float64))
        if self._crowding:
            self._crowding.take(rows)

    def _fresh(self, rows: Localizations) -> NDArray[np.bool_]:
        """Return which rows were not there at the last look, (n,): each stay counts once, a bead too."""
        places = np.column_stack([np.asarray(rows["x_nm"], np.float64), np.asarray(rows["y_nm"], np.float64)])
        last, self._last = self._last, places
        if not len(last) or not len(places):
            return np.ones(len(places), np.bool_)
        return np.asarray(np.isinf(cKDTree(last).query(places, distance_upper_bound=SAME_NM)[0]))

    def _pair(self, rows: Localizations, now: int, then: int) -> None:
        """Take the rows of two neighbouring frames, so many each."""
        stays = Stays(seen=0 if then else now)
        stays.add(rows)
        self._seen += stays.seen - FORGOTTEN * self._seen
        self._again += stays.again - FORGOTTEN * self._again
        if self._staying:
            self._staying.take(stays.seen, stays.again)

    def _gap(self) -> int:
        """Return after how many frames to look again."""
        on_time = self._again / max(self._seen - self._again, 1.0)
        return int(min(max(LEAST_GAP_FRAMES, GAP_ON_TIMES * on_time), MOST_GAP_FRAMES))


def _placed(table: Localizations) -> Localizations:
    finite = np.isfinite(np.asarray(table["x_nm"])) & np.isfinite(np.asarray(table["y_nm"]))
    return table if finite.all() else table.where(finite)
