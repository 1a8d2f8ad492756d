"""Aberrations as a smooth function of the place in the field: a polynomial through beads that were fitted one by one.

Each bead's coefficients have a covariance; beads differ by more than that (size, tilt of the coverslip), so the scatter
that the richest polynomial leaves is taken as what else they differ by. The order is that of the smallest Bayesian
information criterion (Schwarz, Ann. Stat. 6, 1978), so that no slope is invented where a constant does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
POWERS = (((0, 0),), ((0, 0), (1, 0), (0, 1)), ((0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2)))
"""Exponents of x and y by order."""
SPARE = 2
"""Beads beyond the terms of a polynomial, so that there is something left to judge it by."""


@dataclass(frozen=True, slots=True)
class FieldPupil:
    """Coefficients over the field.

    Parameters
    ----------
    modes : tuple of int
        Noll indices.
    middle_um, reach_um : (float, float), float
        Where the polynomial's x and y are 0, and how far from there they are 1.
    waves : (terms, modes) float64
        Factors of 1, x, y, x^2, x y, y^2, as many as the order has.
    sigma_waves : (terms, modes) float64
        Their standard deviations.
    beads : int
        That it rests on.
    """

    modes: tuple[int, ...]
    middle_um: tuple[float, float]
    reach_um: float
    waves: Float64
    sigma_waves: Float64
    beads: int

    @property
    def order(self) -> int:
        """0: the same everywhere; 1: a plane; 2: curved."""
        return next(k for k, powers in enumerate(POWERS) if len(powers) == len(self.waves))

    def at(self, x_um: float, y_um: float) -> dict[int, float]:
        """Return the coefficients at a place of the field."""
        there = _terms(np.array([[x_um, y_um]]), self.middle_um, self.reach_um, self.order)[0] @ self.waves
        return dict(zip(self.modes, there.tolist(), strict=True))

    def to_dict(self) -> dict[str, Any]:
        """Return plain scalars and lists."""
        return {
            "modes": list(self.modes), "middle_um": list(self.middle_um), "reach_um": self.reach_um,
            "waves": self.waves.tolist(), "sigma_waves": self.sigma_waves.tolist(), "beads": self.beads,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> FieldPupil:
        """Rebuild from `to_dict`; raises KeyError, TypeError or ValueError for anything else."""
        x, y = (float(value) for value in plain["middle_um"])
        waves, sigma = (np.array(plain[name], float) for name in ("waves", "sigma_waves"))
        modes = tuple(int(j) for j in plain["modes"])
        if waves.shape != sigma.shape or waves.shape not in {(len(powers), len(modes)) for powers in POWERS}:
            raise ValueError(f"waves {waves.shape} and sigma {sigma.shape} do not fit {len(modes)} modes")
        return cls(modes, (x, y), float(plain["reach_um"]), waves, sigma, int(plain["beads"]))


def over_field(
    places_um: Float64, waves: Float64, covariances_waves2: Sequence[Float64], modes: tuple[int, ...]
) -> FieldPupil:
    """Return the polynomial through several beads.

    Parameters
    ----------
    places_um : (beads, 2) float
        x, y in the field.
    waves : (beads, modes) float
    covariances_waves2 : sequence of (modes, modes) float
    modes : tuple of int

    Raises
    ------
    ValueError
        There is no bead.
    """
    count = len(places_um)
    if not count:
        raise ValueError("no bead: there is nothing to lay a polynomial through")
    middle = (places_um.min(0) + places_um.max(0)) / 2
    reach = float(max(np.abs(places_um - middle).max(), 1e-6))
    at = (float(middle[0]), float(middle[1]))
    precision = [np.asarray(np.linalg.inv(covariance), np.float64) for covariance in covariances_waves2]
    orders = [k for k, powers in enumerate(POWERS) if not k or count >= len(powers) + SPARE]
    fits = [_weighted(_terms(places_um, at, reach, k), waves, precision) for k in orders]
    rest = [misfit / max(waves.size - made.size, 1) for made, _, misfit in fits]
    scatter = max(1.0, rest[-1]) if count > 1 else 1.0
    scores = [misfit / scatter + made.size * log(waves.size) for made, _, misfit in fits]
    made, sigma, _ = fits[int(np.argmin(scores))]
    return FieldPupil(modes, at, reach, made, sigma * scatter**0.5, count)


def _terms(places_um: Float64, middle_um: tuple[float, float], reach_um: float, order: int) -> Float64:
    x, y = ((places_um - middle_um) / reach_um).T
    return np.stack([x**a * y**b for a, b in POWERS[order]], axis=1)


def _weighted(terms: Float64, waves: Float64, precision: list[Float64]) -> tuple[Float64, Float64, float]:
    """Return factors (terms, modes), their standard deviations, and the misfit."""
    count, modes = terms.shape[1], waves.shape[1]
    normal, right = np.zeros((count * modes, count * modes)), np.zeros(count * modes)
    for row, seen, weight in zip(terms, waves, precision, strict=True):
        normal += np.kron(np.outer(row, row), weight)
        right += np.kron(row, weight @ seen)
    covariance = np.linalg.inv(normal)
    made = (covariance @ right).reshape(count, modes)
    rest = waves - terms @ made
    misfit = float(sum(r @ weight @ r for r, weight in zip(rest, precision, strict=True)))
    return made, np.sqrt(np.diag(covariance)).reshape(count, modes), misfit
