"""Aberrations over the field of view: a polynomial in x and y for each coefficient, and how sure it is.

A microscope's aberrations change smoothly with the place in the image; low orders over the field describe them (nodal
aberration theory: Thompson, J. Opt. Soc. Am. A 22, 2005).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2 as chi2_distribution

Float64 = NDArray[np.float64]
Box = tuple[float, float, float, float]
"""Left, top, right and bottom, in um."""


def powers(order: int) -> list[tuple[int, int]]:
    """Return the exponents of x and y of all terms up to an order, the constant first."""
    return [(total - j, j) for total in range(order + 1) for j in range(total + 1)]


def terms(place_um: Float64, box_um: Box, order: int) -> Float64:
    """Return the terms (n, terms) at places (n, 2), counted from the middle of the box in halves of its longer side."""
    left, top, right, bottom = box_um
    scale = max(right - left, bottom - top) / 2 or 1.0
    x, y = ((place_um - [(left + right) / 2, (top + bottom) / 2]) / scale).T
    return np.stack([x**i * y**j for i, j in powers(order)], axis=1)


@dataclass(frozen=True, slots=True)
class Polynomial:
    """One coefficient over the field.

    Parameters
    ----------
    order : int
        0 where it does not change.
    waves : (terms,) float
        In the order of `powers`.
    covariance_waves2 : (terms, terms) float
    """

    order: int
    waves: Float64
    covariance_waves2: Float64


@dataclass(frozen=True, slots=True)
class Field:
    """What several beads tell of the field.

    Parameters
    ----------
    box_um : (left, top, right, bottom)
        Around the beads; x to the right and y down from the outer corner of the first pixel. Polynomials go on
        outside of it, where their sigma says how little they know.
    polynomials : mapping of Noll index to Polynomial
    beads : int
    chi2, freedom : float, int
        Of all coefficients of all beads against the same everywhere: the sum, not per degree of freedom.
    """

    box_um: Box
    polynomials: Mapping[int, Polynomial]
    beads: int
    chi2: float
    freedom: int

    @property
    def order(self) -> int:
        """Highest order of all coefficients: 0 where nothing changes over the field."""
        return max(polynomial.order for polynomial in self.polynomials.values())

    @property
    def p_constant(self) -> float:
        """Probability of a chi-square as large as this if nothing changed over the field."""
        return float(chi2_distribution.sf(self.chi2, self.freedom))

    def at(self, x_um: float, y_um: float) -> dict[int, float]:
        """Return Noll index -> coefficient in waves at a place."""
        return {j: float(self._terms(x_um, y_um, p.order) @ p.waves) for j, p in self.polynomials.items()}

    def sigma_at(self, x_um: float, y_um: float) -> dict[int, float]:
        """Return Noll index -> standard deviation of the coefficient in waves at a place."""
        result = {}
        for j, polynomial in self.polynomials.items():
            slope = self._terms(x_um, y_um, polynomial.order)
            result[j] = float(np.sqrt(slope @ polynomial.covariance_waves2 @ slope))
        return result

    def to_dict(self) -> dict[str, Any]:
        """Return plain scalars, lists and mappings; `from_dict` reads them."""
        polynomials = {
            str(j): {"order": p.order, "waves": p.waves.tolist(), "covariance_waves2": p.covariance_waves2.tolist()}
            for j, p in self.polynomials.items()
        }
        return {
            "box_um": list(self.box_um), "beads": self.beads, "chi2": self.chi2, "freedom": self.freedom,
            "p_constant": self.p_constant, "polynomials": polynomials,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Field:
        """Read what `to_dict` gave.

        Raises
        ------
        ValueError
            Something is missing, or a polynomial has another number of terms than its order.
        """
        try:
            polynomials = {int(j): _polynomial(values) for j, values in plain["polynomials"].items()}
            left, top, right, bottom = (float(edge) for edge in plain["box_um"])
            box, freedom = (left, top, right, bottom), int(plain["freedom"])
            return cls(box, polynomials, int(plain["beads"]), float(plain["chi2"]), freedom)
        except (KeyError, TypeError) as error:
            raise ValueError(f"this is not a field of aberrations: {error!r}") from error

    def _terms(self, x_um: float, y_um: float, order: int) -> Float64:
        return np.asarray(terms(np.array([[x_um, y_um]]), self.box_um, order)[0])


def _polynomial(plain: Mapping[str, Any]) -> Polynomial:
    order, waves = int(plain["order"]), np.asarray(plain["waves"], float)
    covariance, count = np.asarray(plain["covariance_waves2"], float), len(powers(order))
    if waves.shape != (count,) or covariance.shape != (count, count):
        raise ValueError(f"a polynomial of order {order} has {count} terms, not {waves.shape} and {covariance.shape}")
    return Polynomial(order, waves, covariance)
