"""The pupil from what a network says of single crops: one crop tells little of it, a thousand tell it well.

Decision: aberrations go to the report of the optics, not into the table: they are of the microscope, and one
molecule's share of that knowledge is mostly what the network knew beforehand. Where they are wanted for each place of
the field, `[phase]` keeps them by cells.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from models.aberrations.watch import Estimate
from models.aberrations.wavefront import SHAPE
from models.crops.pooled import Pool
from models.crops.space import mode_name, modes_of, prior_sigma
from models.sample_space import SampleSpace
from stream.stages.optics_report import OpticsReport, report

MOLECULES = 500
"""An estimate rests on so many."""


class PupilOfCrops:
    """Collects answers and says what they come to.

    Parameters
    ----------
    space : SampleSpace
        Of the network; what it names differs from crop to crop in its training, and is asked of it.
    error_waves : mapping of str to float
        How far the pupil of many crops is from the true one all the same, as the card says: what the network gets
        wrong of all crops alike.
    """

    def __init__(self, space: SampleSpace, error_waves: Mapping[str, float]) -> None:
        self._modes, self._prior = modes_of(space), prior_sigma(space)
        self._error = np.array([error_waves[mode_name(j)] for j in self._modes])
        self._pool = Pool(self._prior)
        self._start: NDArray[np.float64] | None = None
        self._start_sigma = np.zeros(len(self._modes))
        self._began_s = time.monotonic()

    def take(self, said: Mapping[str, NDArray[np.float32]], frame: NDArray[np.generic]) -> OpticsReport | None:
        """Take what is said of some crops and the frame of each; return an estimate when there are enough."""
        names = [mode_name(j) for j in self._modes]
        waves, sigma = (np.column_stack([said[before + name] for name in names]) for before in ("", "sigma_"))
        self._pool.add(waves, sigma)
        if self._pool.count < MOLECULES:
            return None
        found = self._report(int(frame[-1]))
        self._pool, self._began_s = Pool(self._prior), time.monotonic()
        return found

    def _report(self, frame: int) -> OpticsReport:
        mean, stated, chi2 = self._pool.result()
        sigma = np.hypot(stated, self._error)
        if self._start is None:
            self._start, self._start_sigma = mean, sigma
        change = mean - self._start
        size = float(np.linalg.norm(change))
        both = np.hypot(sigma, self._start_sigma)
        along = float(np.linalg.norm(change / max(size, 1e-12) * both)) if size else float(np.linalg.norm(both))
        estimate = Estimate(
            self._all(mean), self._all(sigma), float(np.linalg.norm(sigma)), self._all(change), along, chi2,
            self._pool.count, 0, None,
        )  # fmt: skip
        return report(estimate, "crops", frame, time.monotonic() - self._began_s)

    def _all(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return Noll 5 to 28, (24,), of those that are looked for; 0 where nobody looks."""
        everything = np.zeros(len(SHAPE))
        everything[[SHAPE.index(j) for j in self._modes]] = values
        return everything
