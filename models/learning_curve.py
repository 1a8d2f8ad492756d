"""What more training would bring: a power law through the validated errors so far, and how sure that is.

Errors of networks fall as a power of the number of samples (Hestness et al. 2017, arXiv:1712.00409): log e = a - b log
n is a straight line, and the interval is that of a new point on it (Draper & Smith 1998, section 3.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np
from scipy.stats import t as student

FEWEST = 4
"""Points below which nothing is said: two are used up by the line."""
RECENT = 0.2
"""Points with less than this share of the samples so far are left out: the start from other weights is no power law."""
SURE = 0.68


@dataclass(frozen=True, slots=True)
class Forecast:
    """An error that is foretold.

    Parameters
    ----------
    value, low, high : float
        In the unit of the errors; it lies between low and high with 68 %.
    """

    value: float
    low: float
    high: float


def forecast(samples: Sequence[float], errors: Sequence[float], at: float) -> Forecast | None:
    """Return the error at so many samples; None with too few points.

    Parameters
    ----------
    samples : sequence of float
        Seen until each validation; those of none, before the first step, are left out.
    errors : sequence of float
        Validated then; what is not above 0 is left out.
    at : float
        Samples at which the error is asked for.
    """
    newest = max(samples, default=0.0)
    pairs = [(n, e) for n, e in zip(samples, errors, strict=True) if n > 0 and n >= RECENT * newest and e > 0]
    if len(pairs) < FEWEST:
        return None
    x, y = np.log(np.array(pairs, np.float64)).T
    away = x - x.mean()
    slope = float(away @ y / (away @ away))
    rest = y - y.mean() - slope * away
    freedom = len(x) - 2
    ahead = log(at) - float(x.mean())
    spread = sqrt(float(rest @ rest) / freedom * (1 + 1 / len(x) + ahead**2 / float(away @ away)))
    middle, width = float(y.mean()) + slope * ahead, float(student.ppf((1 + SURE) / 2, freedom)) * spread
    return Forecast(exp(middle), exp(middle - width), exp(middle + width))
