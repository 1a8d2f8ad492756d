"""The drift beside the tables: `drift.csv`, its knots in nm, and `locs_drift.txt`, each frame's in Picasso's units.

`drift.csv`: frame, x_nm, y_nm, z_nm; a knot a line; between them as `stream/drift/curve.py` says. `locs_drift.txt`: one
line for each frame from 0 on, x and y in camera pixels and z in nm where there is one, separated by blanks, as Picasso
(`picasso.io.save_drift`, 0.11) writes and loads it; positions minus these are corrected. Both are good up to the last
knot while the run goes on, and complete at its end.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stream.drift.curve import AXES, Curve
from stream.sinks.storage import append, writing

KNOTS, FRAMES = "drift.csv", "locs_drift.txt"
KEPT = "The localizations are safe: the drift can be found from them again."
FRAMES_AT_ONCE = 100_000


class DriftFiles:
    """Writes both files; there are none before the first knot.

    Parameters
    ----------
    folder : Path
    pixel_size_nm : float
    """

    def __init__(self, folder: Path, pixel_size_nm: float) -> None:
        self._knots, self._frames, self._pixel_nm = folder / KNOTS, folder / FRAMES, pixel_size_nm
        self._knots_written = self._next_frame = 0

    def grow(self, curve: Curve) -> None:
        """Append the knots that are new, and the frames up to the last knot. Raises StorageFault."""
        if not self._knots_written:
            self._begin()
        end = int(curve.frames[-1]) + 1
        with writing(self._knots, KEPT):
            append(self._knots, _knots(curve, self._knots_written))
        with writing(self._frames, KEPT):
            append(self._frames, self._lines(curve, self._next_frame, end))
        self._knots_written, self._next_frame = len(curve), end

    def complete(self, curve: Curve, frames: int) -> None:
        """Write both anew, for this curve and so many frames. Raises StorageFault; what was there stays."""
        with writing(self._knots, KEPT):
            partial = self._knots.with_suffix(".partial")
            partial.write_bytes(_header() + _knots(curve, 0))
            partial.replace(self._knots)
        with writing(self._frames, KEPT):
            partial = self._frames.with_suffix(".partial")
            with partial.open("wb") as file:
                for first in range(0, frames, FRAMES_AT_ONCE):
                    file.write(self._lines(curve, first, min(first + FRAMES_AT_ONCE, frames)))
            partial.replace(self._frames)

    def _begin(self) -> None:
        for path, head in ((self._knots, _header()), (self._frames, b"")):
            with writing(path, KEPT):
                path.write_bytes(head)

    def _lines(self, curve: Curve, first: int, end: int) -> bytes:
        drift = curve.at(np.arange(first, end)) / (self._pixel_nm, self._pixel_nm, 1.0)
        return _text(drift if curve.deep else drift[:, :2], "%.5f", " ")


def _header() -> bytes:
    return ",".join(("frame", *AXES)).encode() + b"\n"


def _knots(curve: Curve, first: int) -> bytes:
    columns = np.column_stack((curve.frames, curve.drift_nm))[first:]
    return _text(columns, "%.3f", ",") if curve.deep else _text(columns[:, :3], "%.3f", ",", last=",")


def _text(rows: NDArray[np.float64], cell: str, separator: str, last: str = "") -> bytes:
    line = separator.join([cell] * rows.shape[1]) + last + "\n"
    return (line * len(rows) % tuple(rows.ravel().tolist())).encode()
