"""Fixed bins, so that histograms of different moments and runs lie on each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Bins:
    """Bins of equal width, in the value or in its logarithm; what lies beyond an end is counted in the last bin there.

    Parameters
    ----------
    low, high : float
        Outer edges.
    count : int
    logarithmic : bool
    """

    low: float
    high: float
    count: int = 48
    logarithmic: bool = False

    def count_in(self, values: NDArray[np.floating[Any]]) -> NDArray[np.int64]:
        """Return how many values (n,) are in each bin, (count,); those that are not finite are left out."""
        known = values[np.isfinite(values)]
        low, high = self.low, self.high
        if self.logarithmic:
            known, low, high = np.log(np.maximum(known, low)), np.log(low), np.log(high)
        place = np.clip((known - low) * (self.count / (high - low)), 0, self.count - 1)
        return np.bincount(place.astype(np.int64), minlength=self.count)

    def to_dict(self) -> dict[str, Any]:
        """Return what a reader needs to draw the bins."""
        return {"low": self.low, "high": self.high, "logarithmic": self.logarithmic}


BINS = {
    "photons": Bins(10, 1e5, logarithmic=True),
    "background": Bins(0.1, 1e4, logarithmic=True),
    "sigma_x_nm": Bins(0, 60),
    "sigma_y_nm": Bins(0, 60),
    "sigma_z_nm": Bins(0, 150),
    "z_nm": Bins(-1000, 1000),
}
"""Of each column that has a histogram."""
