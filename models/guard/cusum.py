"""Cumulative sums of log-likelihood ratios: small mismatches add up, and false alarms are as rare as stated.

Page's test of the present law against a shifted one, started anew wherever nothing speaks for a shift (Page, Biometrika
41, 1954). With the limit log n the mean time between false alarms is at least n steps, whatever the laws are (Lorden,
Ann. Math. Stat. 42, 1971): the likelihood ratio has the mean 1 where nothing is shifted.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log

STEPS_IN_TEN_HOURS = 1_000_000
"""28 batches a second for ten hours; a slower run has fewer false alarms."""
LARGEST_STEP = 3.0
"""Of one batch, so that no single one raises an alarm: a door, a hand at the stage. Only makes false alarms rarer."""
KEPT = 1.5
"""Times the limit: what is gathered beyond is forgotten, so that an alarm ends once its reason has."""


@dataclass(slots=True)
class OneSided:
    """One cumulative sum with its alarm.

    Parameters
    ----------
    tests : int
        How many of them share one false alarm in ten hours.

    Attributes
    ----------
    total : float
        Evidence for a shift, in natural logarithms.
    steps : int
        Since it began to speak for a shift.
    raised : bool
        Whether the limit was reached since the total was last zero.
    """

    tests: int
    total: float = 0.0
    steps: int = 0
    raised: bool = False

    @property
    def limit(self) -> float:
        """Total that raises the alarm."""
        return log(self.tests * STEPS_IN_TEN_HOURS)

    def add(self, log_ratio: float) -> None:
        """Take the log-likelihood ratio of what one batch showed."""
        self.total = min(max(self.total + min(log_ratio, LARGEST_STEP), 0.0), KEPT * self.limit)
        self.steps = self.steps + 1 if self.total else 0
        self.raised = self.total > 0 and (self.raised or self.total >= self.limit)


class Mean:
    """Is a mean that should be zero beyond a tolerance, above or below? For estimates with Gaussian errors.

    Parameters
    ----------
    tolerance : float
        What no model holds better than.
    shift : float
        Beyond the tolerance, found soonest.
    tests : int
        See `OneSided`; two of them are here.
    """

    def __init__(self, tolerance: float, shift: float, tests: int) -> None:
        self._tolerance, self._shift = tolerance, shift
        self.above, self.below = OneSided(tests), OneSided(tests)

    def add(self, value: float, error: float) -> None:
        """Take an estimate and its standard error."""
        for side, distance in ((self.above, value), (self.below, -value)):
            side.add(self._shift / error**2 * (distance - self._tolerance - self._shift / 2))

    @property
    def raised(self) -> OneSided | None:
        """The side that has an alarm; None without one."""
        return next((side for side in (self.above, self.below) if side.raised), None)


class Share(OneSided):
    """Is a share larger than it may be? Binomial.

    Parameters
    ----------
    usual, unusual : float
        Share that is tolerated, and one that is found soonest.
    tests : int
    """

    __slots__ = ("_hit", "_miss", "_recent")

    def __init__(self, usual: float, unusual: float, tests: int) -> None:
        super().__init__(tests)
        self._hit, self._miss = log(unusual / usual), log((1 - unusual) / (1 - usual))
        self._recent = (0.0, 0.0)

    def count(self, hits: int, seen: int) -> None:
        """Take how many of some independent things were seen to be so."""
        if not seen:
            return
        before = (0.0, 0.0) if self.total == 0 else self._recent
        self._recent = (before[0] + hits, before[1] + seen)
        self.add(hits * self._hit + (seen - hits) * self._miss)

    @property
    def share(self) -> float:
        """Since the evidence began."""
        hits, seen = self._recent
        return hits / seen if seen else 0.0
