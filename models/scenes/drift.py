"""How the sample moves under the microscope: steadily, and as a random walk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Drift:
    """Movement of the sample.

    Parameters
    ----------
    steady_nm : (float, float, float)
        x, y and z per frame.
    walk_nm : float
        Standard deviation of a random step per frame in each direction; z takes the same.
    seed : int
        The walk is the same for the same seed, whatever else is drawn.
    """

    steady_nm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    walk_nm: float = 0.0
    seed: int = 0

    def curve(self, frames: int) -> NDArray[np.float64]:
        """Return where the sample is at each frame relative to the first, (frames, 3) nm; a longer one begins alike."""
        steps = np.random.default_rng(self.seed).normal(0, 1, (frames, 3)) * self.walk_nm + self.steady_nm
        steps[:1] = 0
        return np.asarray(np.cumsum(steps, axis=0))
