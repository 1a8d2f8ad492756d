"""How the pupil differs over the field of view, from the molecules in each part of it: a coarse map.

Each cell has a small deviation from the pupil of all, known from its own molecules by the same equations as that
(`models/aberrations/follow.py`), and fading like it, but slower: a field follows from how the lenses stand. Where no
molecule was, nothing is said.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.aberrations.wavefront import SHAPE

Float64 = NDArray[np.float64]
CELL_NM = 10_000.0
SIGMA_WAVES = 0.01
"""How far each coefficient of a cell may be from that of all, root mean square, before its first molecule."""
WANDER = 0.1
"""A cell's deviation changes by this part of what the pupil of all does."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What molecules tell of the pupil, each by itself.

    Parameters
    ----------
    place_nm : (n, 2) float64
        x, y in the field of view.
    gradient : (n, modes) float64
        Of the log likelihood, what is each molecule's own eliminated.
    information : (n, modes, modes) float64
    waves : (modes,) float64
        Where these hold.
    """

    place_nm: Float64
    gradient: Float64
    information: Float64
    waves: Float64


@dataclass(frozen=True, slots=True)
class Cell:
    """The pupil in a part of the field.

    Parameters
    ----------
    x_nm, y_nm : float
        Of its middle.
    deviation : (24,) float64
        Waves of Noll 5 to 28, beside the pupil of all.
    sigma_waves : (24,) float64
    molecules : int
        That it rests on.
    """

    x_nm: float
    y_nm: float
    deviation: Float64
    sigma_waves: Float64
    molecules: int


@dataclass(slots=True)
class _Known:
    deviation: Float64
    covariance: Float64
    molecules: int = 0


class FieldMap:
    """Cells of `CELL_NM`, each with what is known of it.

    Parameters
    ----------
    wander_waves : float
        By how much each coefficient of the pupil of all changes in a second, root mean square.
    """

    def __init__(self, wander_waves: float) -> None:
        self._wander2 = (WANDER * wander_waves) ** 2
        self._known: dict[tuple[int, int], _Known] = {}

    def take(self, evidence: Evidence, waves: Float64, elapsed_s: float) -> None:
        """Join what molecules tell to what was known.

        Parameters
        ----------
        evidence : Evidence
        waves : (24,) float64
            The pupil of all, as the same molecules have it.
        elapsed_s : float
            Since the last ones.
        """
        eye = np.eye(len(SHAPE))
        for known in self._known.values():
            known.covariance = known.covariance + eye * self._wander2 * elapsed_s
        cells, number = np.unique(np.floor(evidence.place_nm / CELL_NM).astype(int), axis=0, return_inverse=True)
        for k, (column, row) in enumerate(cells.tolist()):
            known = self._known.setdefault((column, row), _Known(np.zeros(len(SHAPE)), eye * SIGMA_WAVES**2))
            own = number.ravel() == k
            information = evidence.information[own].sum(0)
            beyond = waves + known.deviation - evidence.waves
            covariance = np.linalg.inv(np.linalg.inv(known.covariance) + information)
            step = covariance @ (evidence.gradient[own].sum(0) - information @ beyond)
            known.deviation, known.covariance = known.deviation + step, np.asarray(covariance)
            known.molecules += int(own.sum())

    def cells(self) -> tuple[Cell, ...]:
        """Return the cells that have seen molecules, by row and column."""
        return tuple(
            Cell(
                (column + 0.5) * CELL_NM, (row + 0.5) * CELL_NM, known.deviation, np.sqrt(np.diag(known.covariance)),
                known.molecules,
            )
            for (column, row), known in sorted(self._known.items(), key=lambda item: item[0][::-1])
        )  # fmt: skip
