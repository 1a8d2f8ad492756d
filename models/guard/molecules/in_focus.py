"""In focus: spots of any width, Gaussians as the training draws them and with the rings that objectives make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from models.guard.molecules.templates import Templates
from models.optics.arrays import Array
from models.optics.gaussian import GaussianSpot, Widths
from models.optics.low_rank_build import low_rank
from models.optics.objective import Objective
from models.optics.propagator import Setup
from models.optics.spot import Spot
from models.optics.vectorial import VectorialSpot
from models.refining.widths import SIZE_PX, over_widths

USUAL = 0.045
"""Rounder than a seventh of the training's spots: what only those show is told."""

APERTURES, CORE = (1.2, 1.49), 0.25
"""Of objectives; standard deviation of the core of a spot in focus over wavelength / aperture."""


class Part(NamedTuple):
    """A Gaussian: its weight, its place and its widths in units of the spot's width."""

    weight: float
    right: float = 0.0
    down: float = 0.0
    wide_x: float = 1.0
    wide_y: float = 1.0


class Mixed:
    """A sum of Gaussians; satisfies `Spot`.

    Parameters
    ----------
    parts : sequence of Part
    pixel_size_nm : float
    width_nm : float or None
        None: the third coordinate is the width.
    size_px : int
        Odd.
    """

    def __init__(
        self, parts: Sequence[Part], pixel_size_nm: float, width_nm: float | None = None, size_px: int = SIZE_PX
    ) -> None:
        self._parts, self._width_nm = tuple(parts), width_nm
        self.pixel_size_nm, self.size_px = pixel_size_nm, size_px

    def __call__(self, position_nm: Array) -> Array:
        """Return (n, size_px, size_px), as `Spot` says."""
        width = position_nm[:, 2] if self._width_nm is None else 0 * position_nm[:, 2] + self._width_nm
        return sum(self._part(part, position_nm, width) for part in self._parts)

    def _part(self, part: Part, position_nm: Array, width: Array) -> Array:
        def at(z: Array) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
            return (part.wide_x * z, 0 * z + part.wide_x), (part.wide_y * z, 0 * z + part.wide_y)

        place = np.stack((
            position_nm[:, 0] + part.right * width, position_nm[:, 1] + part.down * width, width
        ), axis=1)  # fmt: skip
        spot = GaussianSpot(Widths(at), self.pixel_size_nm, self.size_px)
        return part.weight * spot(place.astype(position_nm.dtype))


def _longer(step: float = 0.05) -> tuple[Part, ...]:
    wide, thin = 1 + step, 1 - step
    return Part(0.5 / step, 0, 0, wide, thin), Part(-0.5 / step, 0, 0, thin, wide)


def _turned(step: float = 0.3) -> tuple[Part, ...]:
    weight = 0.25 / step**2
    return tuple(Part(weight * a * b, a * step, b * step) for a in (1, -1) for b in (1, -1))


def _tail(right: float, down: float, step: float = 0.4) -> tuple[Part, ...]:
    weight = 0.5 / step**3
    return tuple(
        Part(weight * sign, right * far * step, down * far * step) for sign, far in ((1, 2), (-2, 1), (2, -1), (-1, -2))
    )


SHAPES: Mapping[str, tuple[Part, ...]] = {
    "longer along x": _longer(), "longer at 45 degrees": _turned(), "tail along x": _tail(1, 0),
    "tail along y": _tail(0, 1), "halo": (Part(1, 0, 0, 2.1, 2.1), Part(-1)),
}  # fmt: skip
"""How a spot may change beside its width: each sum of Gaussians is a derivative, and adds no light."""


def templates_in_focus(pixel_size_nm: float, window_px: int) -> Templates:
    """Return these derivatives on the knots of `gaussian_spline`."""
    made = [over_widths(Mixed(parts, pixel_size_nm), window_px).coefficients for parts in SHAPES.values()]
    return Templates(tuple(SHAPES), np.stack(made))


def usual_spot(width_nm: float, pixel_size_nm: float, rng: np.random.Generator) -> Spot:
    """Return a spot that the network is for: half of them as the training draws them, half as objectives make them."""
    if rng.random() < 0.5:
        return trained_spot(width_nm, pixel_size_nm, rng)
    aperture = rng.uniform(*APERTURES)
    objective = Objective(numerical_aperture=aperture, wavelength_nm=width_nm * aperture / CORE)
    exact = VectorialSpot(Setup(objective), pixel_size_nm, SIZE_PX)
    return low_rank(exact, (-1.0, 1.0), rank=20, z_nodes=2, reach_px=0)


def trained_spot(width_nm: float, pixel_size_nm: float, rng: np.random.Generator) -> Spot:
    """Return a spot as the training usually draws them (`SpotsInFocus`): slightly elliptic, some in a halo."""
    ellipticity = np.clip(rng.normal(0, 0.03), -USUAL, USUAL)
    halo = rng.uniform(0, 0.25) * (rng.random() < 0.6)
    wider = rng.uniform(1.6, 2.6)
    parts = [
        Part(share, 0, 0, times * (1 + ellipticity), times * (1 - ellipticity))
        for share, times in ((1 - halo, 1.0), (halo, wider))
    ]
    return Mixed(parts, pixel_size_nm, width_nm)
