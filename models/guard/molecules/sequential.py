"""Small deviations of many molecules add up: a cumulative sum for each cause, and one for what has none.

Each molecule's deviations, weighted, say how much of a cause there is (1: as much as was simulated). A sum of these
less an allowance is held above 0 (Page, Biometrika 41, 1954); it hardly grows where all is as in the training,
whatever the sample is like, since the allowance is several times what samples differ by. By Lundberg's inequality such
a sum passes a threshold H with a probability of at most exp(-rate H) after each molecule, so that a false alarm is
rarer than once in `MOLECULES` over all sums together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.guard.molecules.reference import Reference
from models.guard.molecules.unlikeness import unlike

Float64 = NDArray[np.float64]
MOLECULES = 1e7
"""One false alarm in so many molecules: ten hours at 280 a second."""
TOGETHER = 100
"""Weights are the best for the mean of so many molecules."""
HALF, SAMPLES, WORST = 0.5, 4.5, 3.0
"""The allowance is half of what was simulated, or so many standard deviations of samples; such a bad sample is reckoned
with in the threshold."""
LEAST_THRESHOLD = 20.0
"""No sum speaks for less, in units of what was simulated: a neighbour that nobody saw looks like several times that
coma, and is seen again in the next frames. Chance within one law knows nothing of either."""
CEILING = 2.0
"""Sums end at so many thresholds, so that an alarm ends soon after its cause."""
FADING = 2000
"""A mean since the start of an excursion rests on about so many molecules at most."""


@dataclass(frozen=True, slots=True)
class SumRules:
    """Weights, allowances and thresholds of the sums; the last is that without a cause.

    Parameters
    ----------
    weights : (s, m) float64
    allowance, threshold : (s + 1,) float64
    """

    weights: Float64
    allowance: Float64
    threshold: Float64


def sum_rules(known: Reference, usual: Reference, shifts: Float64) -> SumRules:
    """Return the sums for causes that move the deviations by `shifts`.

    Parameters
    ----------
    known : Reference
    usual : Reference
        Of the unlikeness.
    shifts : (s, m) float64
    """
    weights = np.linalg.solve(known.covariance / TOGETHER + known.between, shifts.T).T
    weights = weights / np.einsum("sm,sm->s", weights, shifts)[:, None]
    variance = np.einsum("sm,mk,sk->s", weights, known.covariance, weights)
    sample = np.sqrt(np.einsum("sm,mk,sk->s", weights, known.between, weights))
    of_any = float(np.sqrt(usual.between[0, 0] / usual.covariance[0, 0]))
    sample, variance = np.append(sample, of_any), np.append(variance, 1.0)
    allowance = np.maximum(HALF, SAMPLES * sample)
    rate = 2 * (allowance - WORST * sample) / variance
    threshold = np.maximum(np.log(MOLECULES * len(allowance)) / rate, LEAST_THRESHOLD)
    return SumRules(weights, allowance, threshold)


class Sums:
    """The state of the sums.

    Parameters
    ----------
    known, usual : Reference
        Of the measures, of the unlikeness.
    rules : SumRules

    Attributes
    ----------
    raised : (s + 1,) bool
        Which sums have passed their threshold and not been at 0 since.
    molecules : int
        Taken so far.
    """

    def __init__(self, known: Reference, usual: Reference, rules: SumRules) -> None:
        self._known, self._usual, self._rules = known, usual, rules
        count = len(rules.allowance)
        self._sum, self._count = np.zeros(count), np.zeros(count)
        self._since = np.zeros((count, len(known.center)))
        self.raised, self.molecules = np.zeros(count, bool), 0

    def take(self, deviations: Float64, conditions: Float64) -> None:
        """Take molecules one after the other, (n, m) and (n, c)."""
        distance = unlike(self._known, self._usual, deviations, conditions)
        amounts = np.column_stack((deviations @ self._rules.weights.T, distance))
        for one, amount in zip(deviations, amounts - self._rules.allowance, strict=True):
            self._add(one, amount)
        self.molecules += len(deviations)

    def _add(self, deviations: Float64, amount: Float64) -> None:
        self._sum = np.clip(self._sum + amount, 0, CEILING * self._rules.threshold)
        still = self._sum > 0
        fade = np.where(still, np.where(self._count > FADING, 1 - 1 / FADING, 1.0), 0.0)
        self._count = fade * self._count + still
        self._since = fade[:, None] * self._since + still[:, None] * deviations
        self.raised = (self.raised & still) | (self._sum > self._rules.threshold)

    @property
    def strongest(self) -> int:
        """The sum that is highest above its threshold."""
        return int(np.argmax(self._sum / self._rules.threshold))

    def mean(self, which: int) -> tuple[Float64, float]:
        """Return the mean deviations since a sum was last at 0, (m,), and how many molecules that are."""
        count = float(self._count[which])
        return self._since[which] / max(count, 1.0), count
