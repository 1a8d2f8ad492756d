"""Are molecules denser than in the training, where they are."""

from __future__ import annotations

import numpy as np

from models.guard.cusum import Mean
from models.guard.verdict import Finding
from models.local_density import CellCounts
from models.localizations import Localizations

BLOCK_FRAMES = 8
RECENT = 0.2
SHIFT, MUCH = 0.15, 1.5
LEAST_ERROR = 0.1
"""Relative, of a block: molecules that are there again, and cells that are few."""


class Crowding:
    """Measures the density of blocks of frames.

    Parameters
    ----------
    most_per_um2 : float
        Highest density of the training.
    field_nm : (height, width)
    tests : int
        That share one false alarm in ten hours.
    """

    def __init__(self, most_per_um2: float, field_nm: tuple[float, float], tests: int) -> None:
        self._most, self._field, self._test = most_per_um2, field_nm, Mean(0.0, SHIFT, tests)
        self._cells, self._frames, self._rows, self._lately = CellCounts(*field_nm), 0, 0, 0.0

    def take(self, rows: Localizations) -> None:
        """Take the rows of one frame, with finite positions; frames are far apart in time."""
        self._cells.add(rows)
        self._frames, self._rows = self._frames + 1, self._rows + len(rows)
        if self._frames == BLOCK_FRAMES:
            self._close()

    def findings(self) -> list[Finding]:
        """Say how dense they are."""
        if not self._test.above.raised:
            return []
        over = self._lately / self._most
        return [Finding(
            "density", "outside" if over > MUCH else "drifting",
            f"too dense: {self._lately:.2g} molecules/µm² in a frame, where they are; "
            f"the model knows up to {self._most:g}",
            "less activation (405 nm) or more excitation, a shorter exposure; lower concentration of imager strands",
            over, {"density_per_um2": self._lately},
        )]  # fmt: skip

    def _close(self) -> None:
        density = self._cells.density_per_um2(self._frames) or 0.0
        self._test.add(density / self._most - 1, max(LEAST_ERROR, 2 / float(np.sqrt(max(self._rows, 1)))))
        self._lately += (RECENT if self._lately else 1.0) * (density - self._lately)
        self._cells, self._frames, self._rows = CellCounts(*self._field), 0, 0
