"""One pupil from the answers for many crops, each of which is what the crop tells times what was known before.

A network that learned the likelihood answers with mean m_i and standard deviation s_i of the posterior under the
prior of its training, of variance p^2 around 0. The crop itself therefore tells with precision 1 / s_i^2 - 1 / p^2,
and all of them together, the prior counted once, have
    precision  L = 1 / p^2 + sum_i (1 / s_i^2 - 1 / p^2),   mean  (sum_i m_i / s_i^2) / L.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
WIDEST = 0.999
"""An answer that is no surer than this part of the prior says nothing."""


class Pool:
    """Sums over crops.

    Parameters
    ----------
    prior_sigma : (m,) float64
        Standard deviation of each mode in the training.

    Attributes
    ----------
    count : int
        Crops that were added.
    """

    def __init__(self, prior_sigma: Float64) -> None:
        self._prior, self.count = 1 / np.asarray(prior_sigma, np.float64) ** 2, 0
        self._precision, self._weighted = np.zeros(len(self._prior)), np.zeros(len(self._prior))
        self._own, self._square = np.zeros(len(self._prior)), np.zeros(len(self._prior))

    def add(self, mean: NDArray[np.floating], sigma: NDArray[np.floating]) -> None:
        """Add answers (n, m) and their standard deviations (n, m)."""
        precision = 1 / np.asarray(sigma, np.float64) ** 2
        told = precision - self._prior
        told[told < (1 / WIDEST**2 - 1) * self._prior] = 0
        own = np.where(told > 0, mean * precision / np.maximum(told, 1e-300), 0.0)  # what the crop says by itself
        self._precision += told.sum(axis=0)
        self._weighted += (told * own).sum(axis=0)
        self._square += (told * own**2).sum(axis=0)
        self._own += (told > 0).sum(axis=0)
        self.count += len(precision)

    def result(self) -> tuple[Float64, Float64, float]:
        """Return mean and standard deviation (m,), and how crops differ from the mean over what they state: 1 is right.

        The last is chi-square per degree of freedom.
        """
        precision = self._precision + self._prior
        mean = self._weighted / precision
        scatter = self._square - 2 * mean * self._weighted + mean**2 * self._precision
        freedom = max(float(self._own.sum()) - len(mean), 1.0)
        return mean, precision**-0.5, float(scatter.sum() / freedom)
