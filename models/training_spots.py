"""What training samples are drawn with: one spot in depth, or a family of spots in focus.

In focus nobody knows the width beforehand, so each sample has its own: that of the core, in a halo that some have,
because real spots have rings and tails that a Gaussian lacks.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.optics.arrays import Array
from models.optics.gaussian import GaussianSpot, Width, Widths
from models.optics.render import render
from models.optics.spot import Spot
from models.sample_space import SampleSpace

Float64 = NDArray[np.float64]


class TrainingSpots(Protocol):
    """Draws emitters into frames."""

    @property
    def dimensions(self) -> int:
        """3 where z is to be found, else 2."""

    @property
    def pixel_size_nm(self) -> float:
        """Edge of a pixel."""

    @property
    def size_px(self) -> int:
        """Edge of a spot's window."""

    def third(self, settings: dict[str, float], count: int, rng: np.random.Generator) -> Float64:
        """Draw the third coordinate of the emitters of one sample, (count,): z, or what else makes their image."""

    def light(
        self, position_nm: Array, photons: Array, frame: Array, shape: tuple[int, int, int], rng: np.random.Generator
    ) -> Array:
        """Return the expected photons, as `render` does."""


def training_spots(spot: Spot | None, space: SampleSpace) -> TrainingSpots:
    """Return what samples of a space are drawn with; spot None: Gaussians in focus, of any width."""
    return SpotsInFocus() if spot is None else SpotInDepth(spot, space)


class SpotInDepth:
    """The same spot everywhere, emitters at all z of the sample space.

    Parameters
    ----------
    spot : Spot
    space : SampleSpace
        With the field z_nm.
    """

    dimensions = 3

    def __init__(self, spot: Spot, space: SampleSpace) -> None:
        self._spot, self._z = spot, space["z_nm"]
        self.pixel_size_nm, self.size_px = spot.pixel_size_nm, spot.size_px

    def third(self, settings: dict[str, float], count: int, rng: np.random.Generator) -> Float64:
        """Draw z in nm."""
        return rng.uniform(self._z.low, self._z.high, count)

    def light(
        self, position_nm: Array, photons: Array, frame: Array, shape: tuple[int, int, int], rng: np.random.Generator
    ) -> Array:
        """Return the expected photons, as `render` does."""
        return render(self._spot, position_nm, photons, frame, shape)


class SpotsInFocus:
    """Gaussian cores, slightly elliptic, some in a halo; the third coordinate is the width of the sample's core.

    Lengths are in pixels of 100 nm, whatever the pixel size of a sample.
    """

    dimensions = 2
    pixel_size_nm = 100.0
    size_px = 31

    def third(self, settings: dict[str, float], count: int, rng: np.random.Generator) -> Float64:
        """Return the width of the sample's core in nm."""
        return np.full(count, settings["psf_sigma_px"] * self.pixel_size_nm)

    def light(
        self, position_nm: Array, photons: Array, frame: Array, shape: tuple[int, int, int], rng: np.random.Generator
    ) -> Array:
        """Return the expected photons, as `render` does; ellipticity and halo are those of the batch."""
        ellipticity = rng.normal(0, 0.03)
        halo = rng.uniform(0, 0.25) * (rng.random() < 0.6)
        parts = ((1 - halo, 1.0), (halo, rng.uniform(1.6, 2.6)))
        return sum(
            render(self._gaussian(wider, ellipticity), position_nm, share * photons, frame, shape)
            for share, wider in parts
            if share
        )

    def _gaussian(self, wider: float, ellipticity: float) -> GaussianSpot:
        def at(width: Array) -> tuple[Width, Width]:
            x, y = wider * (1 + ellipticity), wider * (1 - ellipticity)
            return (x * width, 0 * width + x), (y * width, 0 * width + y)

        return GaussianSpot(Widths(at), self.pixel_size_nm, self.size_px)
