"""What the molecules are like: how many and how dense, how bright, how sure, and how long they stay.

All of it over the last seconds, beside what the model was trained on and what it was like at the start of the run.
Medians, histograms and on-times rest on a sample of the rows, so that the cost does not grow with the light.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.local_density import CellCounts
from models.localizations import Localizations
from models.sample_space import Range, SampleSpace
from models.stays import Stays
from stream.books.apparent_width import apparent_sigma_nm
from stream.books.bins import BINS
from stream.frame import StreamInfo
from stream.stages.stage import Located

EVERY_S = 2.0
"""Between reports."""
INTERVALS = 5
"""A report rests on so many of them: ten seconds."""
SAMPLED_ROWS = 4096
"""Of each table."""
START_ROWS = 1000
"""What the start of the run was like is known after ten seconds with so many sampled rows."""
LIKE = 2.0
"""Spots are compared with those at the start that are this much brighter or dimmer at most."""
TRAINED = {
    "photons": "photons", "background": "background_e", "density_per_um2": "density_per_um2", "z_nm": "z_nm",
    "on_time_frames": "on_time_frames",
}  # fmt: skip
"""What is measured, and what the sample space calls it."""

Float64 = NDArray[np.float64]


@dataclass(slots=True)
class _Interval:
    """What came within a few seconds."""

    cells: CellCounts
    frames: int = 0
    localizations: int = 0
    rows: list[dict[str, Float64]] = field(default_factory=list)
    spots: list[tuple[Float64, Float64]] = field(default_factory=list)
    stays: Stays = field(default_factory=Stays)


class Statistics:
    """Gathers localizations, and says what they are like.

    Parameters
    ----------
    info : StreamInfo
        Shape of the frames.
    pixel_nm : float
    space : SampleSpace
        Of the model.
    """

    def __init__(self, info: StreamInfo, pixel_nm: float, space: SampleSpace) -> None:
        self._shape_nm, self._pixel_nm = (info.height_px * pixel_nm, info.width_px * pixel_nm), pixel_nm
        ranges = {name: space.fields.get(theirs) for name, theirs in TRAINED.items()}
        self._trained = {name: (ends.low, ends.high) for name, ends in ranges.items() if isinstance(ends, Range)}
        self._window: deque[_Interval] = deque(maxlen=INTERVALS)
        self._all = {name: np.zeros(bins.count, np.int64) for name, bins in BINS.items()}
        self._start: dict[str, float] = {}
        self._last = -1
        self._window.append(self._interval())

    def add(self, located: Located) -> None:
        """Take what was located in some frames, in frame order."""
        now, table = self._window[-1], _placed(located.table)
        now.frames += len(located.index)
        now.localizations += len(table)
        self._last = int(located.index[-1]) if len(located.index) else self._last
        if not len(table):
            return
        now.cells.add(table)
        sample = table.where(slice(None, None, -(-len(table) // SAMPLED_ROWS)))
        now.rows.append({name: np.asarray(sample[name], np.float64) for name in BINS if name in sample})
        alone = now.stays.add(table)
        if {"sigma_x_nm", "sigma_y_nm", "photons", "background"} <= set(table):
            now.spots.append(self._spots(table.where(alone)))

    def report(self) -> dict[str, Any]:
        """Return the header of a `statistics` message, and begin the next interval."""
        window, rows = list(self._window), _joined([part for one in self._window for part in one.rows])
        fresh = _joined(self._window[-1].rows)
        for name, values in fresh.items():
            self._all[name] += BINS[name].count_in(values)
        frames, found = sum(one.frames for one in window), sum(one.localizations for one in window)
        area_um2 = self._shape_nm[0] * self._shape_nm[1] / 1e6
        medians = {name: _median(values) for name, values in rows.items()}
        sampled = len(next(iter(rows.values()), ()))
        spots, spot_nm = self._spot(window)
        self._note_start(medians | {"spot_sigma_nm": spot_nm}, sampled)
        self._window.append(self._interval())
        return {
            "frame": self._last, "frames": frames, "localizations": found, "sampled": sampled, "spots": spots,
            "localizations_per_frame": found / frames if frames else None,
            "mean_density_per_um2": found / frames / area_um2 if frames else None,
            "density_per_um2": CellCounts.together([one.cells for one in window]).density_per_um2(frames),
            "on_time_frames": sum((one.stays for one in window), Stays()).on_time_frames,
            "median": _known(medians | {"spot_sigma_nm": spot_nm}),
            "histograms": {
                name: BINS[name].to_dict()
                | {"now": BINS[name].count_in(values).tolist(), "all": self._all[name].tolist()}
                for name, values in rows.items()
            },
            "trained": self._trained, "start": self._start,
        }  # fmt: skip

    def _interval(self) -> _Interval:
        return _Interval(CellCounts(*self._shape_nm))

    def _spots(self, table: Localizations) -> tuple[Float64, Float64]:
        """Return photons and apparent widths of spots, (n,) each."""
        x, y, photons, background = (
            np.asarray(table[name], np.float64) for name in ("sigma_x_nm", "sigma_y_nm", "photons", "background")
        )
        return photons, apparent_sigma_nm(np.sqrt((x**2 + y**2) / 2), photons, background, self._pixel_nm)

    def _spot(self, window: list[_Interval]) -> tuple[int, float | None]:
        """Return how many spots stand alone and are as bright as at the start, and their median apparent width."""
        spots = [spot for one in window for spot in one.spots]
        usual = self._start.get("photons")
        if not spots or usual is None:
            return 0, None
        photons, width = (np.concatenate(part) for part in zip(*spots, strict=True))
        width = width[(photons > usual / LIKE) & (photons < usual * LIKE)]
        return len(width), _median(width)

    def _note_start(self, medians: Mapping[str, float | None], sampled: int) -> None:
        """Note what the molecules are like; the width of spots a report later, when it is known what is bright."""
        if sampled >= START_ROWS and len(self._window) >= INTERVALS:
            self._start = _known(medians) | self._start


def _placed(table: Localizations) -> Localizations:
    """Return the rows whose positions are finite: nearly always all of them."""
    finite = np.isfinite(np.asarray(table["x_nm"])) & np.isfinite(np.asarray(table["y_nm"]))
    return table if finite.all() else table.where(finite)


def _joined(parts: Sequence[dict[str, Float64]]) -> dict[str, Float64]:
    """Return columns one below the other; tables of one run have the same."""
    return {name: np.concatenate([part[name] for part in parts]) for name in (parts[0] if parts else ())}


def _known(values: Mapping[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in values.items() if value is not None}


def _median(values: Float64) -> float | None:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else None
