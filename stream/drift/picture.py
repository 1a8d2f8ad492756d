"""A picture that follows the drift: drawn at once where the sample is expected, and anew when its drift is measured.

Decision: localizations after the last knot but one interval are kept, and taken out of the picture with negative
weight. Context: a frame's drift is known when the knots on both sides of it are. Consequence: one and a half blocks are
kept in memory, and of a sample that hardly moves nothing is drawn twice.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from models.localizations import Localizations
from stream.drift.curve import Curve, shifted
from stream.picture.render import Renderer

KEPT_ROWS = 1_000_000
"""Localizations that are kept at most: the oldest stay drawn where they are."""
UNSEEN_NM = 1.0
"""So little out of place is not drawn anew."""


class MovingPicture:
    """Draws tables, corrected as well as is known.

    Parameters
    ----------
    renderer : Renderer
    """

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._kept: deque[tuple[Localizations, NDArray[np.float64]]] = deque()
        self._rows = 0

    def draw(self, table: Localizations, curve: Curve) -> None:
        """Draw a table with the drift that is expected."""
        drift = curve.at(table["frame"])
        self._renderer.add(shifted(table, -drift))
        self._keep(table, drift)

    def follow(self, curve: Curve) -> None:
        """Draw anew what is out of place now that the curve has another knot; what lies before that knot is settled."""
        kept, self._kept, self._rows = self._kept, deque(), 0
        for table, drawn in kept:
            drift = curve.at(table["frame"])
            off = np.abs(drift - drawn).max(axis=1, initial=0) > UNSEEN_NM
            if off.any():
                self._redraw(table.where(off), drawn[off], drift[off])
            drawn = np.where(off[:, None], drift, drawn)
            open_rows = np.asarray(table["frame"]) > curve.frames[-1]
            if open_rows.any():
                self._keep(table.where(open_rows), drawn[open_rows])
        self._renderer.pyramid.wipe_dust()

    def _redraw(self, table: Localizations, drawn: NDArray[np.float64], drift: NDArray[np.float64]) -> None:
        self._renderer.add(shifted(table, -drawn), weight=-1.0)
        self._renderer.add(shifted(table, -drift))

    def _keep(self, table: Localizations, drift: NDArray[np.float64]) -> None:
        self._kept.append((table, drift))
        self._rows += len(table)
        while self._rows > KEPT_ROWS:
            self._rows -= len(self._kept.popleft()[0])
