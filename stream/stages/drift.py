"""The drift while the camera runs: tables go in, the curve, a corrected picture, files and messages come out.

Tables are never changed here: who wants corrected positions asks `curve.corrected`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.localizations import Localizations
from stream.drift.blocks import Block, Cutter
from stream.drift.curve import INTERPOLATION
from stream.drift.fiducials import Fiducials
from stream.drift.files import DriftFiles
from stream.drift.picture import MovingPicture
from stream.drift.second_pass import SecondPass
from stream.drift.settings import DriftSettings
from stream.drift.tracker import Tracker
from stream.picture.render import Renderer

KNOTS_TOLD = 500
"""Knots in a message, at most."""


class DriftWatch:
    """Finds the drift block by block, and draws what it is given.

    Parameters
    ----------
    settings : DriftSettings
        With a mode that is not off.
    renderer : Renderer
    files : DriftFiles
    publish : callable
        Publishes the curve.
    tell : callable
        Told in words when the drift is lost, or a bead; once for each loss.

    Attributes
    ----------
    curve : Curve
        The drift as it is known now.
    """

    def __init__(
        self, settings: DriftSettings, renderer: Renderer, files: DriftFiles,
        publish: Callable[[Mapping[str, Any]], None], tell: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._settings, self._renderer, self._files = settings, renderer, files
        self._publish, self._tell = publish, tell
        self._tracker = _tracker(settings)
        self._cutter, self._picture = self._new_cutter(), MovingPicture(renderer)
        self._last, self._lost_blocks, self._was_lost, self._passes = -1, 0, False, 1
        self.curve = self._tracker.curve

    def hear(self, table: Localizations, first: int, last: int) -> None:
        """Take the localizations of frames `first` to `last`, and draw them. Raises StorageFault."""
        self._last = last
        self._picture.draw(table, self.curve)
        for block in self._cutter.add(table, first, last):
            self._take(block)

    def end(self) -> None:
        """Take what is left of the last block. Raises StorageFault."""
        if (block := self._cutter.finish()) is not None:
            self._take(block)
        if len(self.curve):
            self._files.complete(self.curve, self._last + 1)

    def refine(self, tables: Callable[[], Iterable[Localizations]]) -> None:
        """Go over the whole run again, if the rig asks for it: the curve, both files and the picture become better.

        Parameters
        ----------
        tables : callable
            Returns all localizations of the run in frame order, whole frames, table by table; called twice.

        Raises
        ------
        StorageFault
        """
        tracker = self._tracker
        if not isinstance(tracker, Tracker) or not self._settings.second_pass or len(self.curve) < 2:
            return
        second, cutter = SecondPass(self.curve, tracker.reference), self._new_cutter()
        for table, first, last in _spans(tables()):
            for block in cutter.add(table, first, last):
                second.add(block)
        if (rest := cutter.finish()) is not None:
            second.add(rest)
        self.curve, self._passes = second.curve(), 2
        self._files.complete(self.curve, self._last + 1)
        self._renderer.clear()
        for table in tables():
            self._renderer.add(self.curve.corrected(table))
        self._publish(self.message())

    def at(self, frames: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the drift at these frames as it is known now, (k, 3) nm."""
        return self.curve.at(frames)

    def places(self, table: Localizations) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return x and y of a table in nm, without the drift that is known now."""
        still = self.curve.corrected(table)
        return np.asarray(still["x_nm"], np.float32), np.asarray(still["y_nm"], np.float32)

    def message(self) -> dict[str, Any]:
        """Return the header of a `drift` message; of many knots every so-manieth, and the last."""
        step = -(-len(self.curve) // KNOTS_TOLD) or 1
        shown = slice((len(self.curve) - 1) % step if len(self.curve) else 0, None, step)
        drift = np.round(self.curve.drift_nm[shown], 2).tolist()
        return {
            "method": self._settings.mode,
            "frames": np.round(self.curve.frames[shown], 1).tolist(),
            "drift_nm": drift if self.curve.deep else [[x, y, None] for x, y, _ in drift],
            "blocks": len(self.curve),
            "localizations": self._tracker.localizations,
            "remark": self._tracker.remark,
        }

    def summary(self) -> dict[str, Any]:
        """Return for run.json what was found, from how much, and how to read the files."""
        drift = self.curve.drift_nm
        reached = np.round(np.ptp(drift, axis=0), 2).tolist() if len(drift) else [0.0, 0.0, 0.0]
        return {
            "method": self._settings.mode,
            "passes": self._passes,
            "blocks": len(self.curve),
            "blocks_without_drift": self._lost_blocks,
            "localizations": self._tracker.localizations,
            "extent_nm": reached if self.curve.deep else [*reached[:2], None],
            "between_knots": INTERPOLATION,
            "remark": self._tracker.remark,
        }

    def _take(self, block: Block) -> None:
        found = self._tracker.add(block)
        self.curve = self._tracker.curve
        if self._tracker.remark and not self._was_lost:
            self._tell(f"drift: {self._tracker.remark}")
        self._was_lost = bool(self._tracker.remark)
        if found:
            self._picture.follow(self.curve)
            self._files.grow(self.curve)
        else:
            self._lost_blocks += 1
        self._publish(self.message())

    def _new_cutter(self) -> Cutter:
        enough = self._settings.min_localizations if self._settings.mode == "aim" else 1
        return Cutter(self._settings.block_frames, enough)


def _tracker(settings: DriftSettings) -> Tracker | Fiducials:
    if settings.mode == "fiducials":
        return Fiducials(settings.fiducials, settings.range_nm)
    return Tracker(settings.range_nm)


def _spans(tables: Iterable[Localizations]) -> Iterable[tuple[Localizations, int, int]]:
    """Yield each table that has rows, with its first and last frame."""
    for table in tables:
        if len(table):
            frame = np.asarray(table["frame"], np.int64)
            yield table, int(frame[0]), int(frame[-1])
