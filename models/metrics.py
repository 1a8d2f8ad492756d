"""How good a list of localizations is, measured against a reference: the metrics of the SMLM challenge.

Source: D. Sage et al., "Super-resolution fight club", Nat. Methods 16, 387-395 (2019), Methods.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, nan

import numpy as np
from numpy.typing import NDArray

from models.localizations import Localizations
from models.matching import isolated, match

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Rules:
    """What counts.

    Parameters
    ----------
    tolerance_nm : float
        Largest lateral distance of a pair.
    axial_tolerance_nm : float
        Largest axial distance of a pair, where both lists have `z_nm`.
    min_photons : float
        Reference emitters with fewer photons are left out, each with the localization matched to it.
    border_nm : float
        Reference emitters closer to the edge of the field are left out in the same way, and so are localizations there
        without a partner.
    field_nm : (float, float)
        Width and height of the field; needed for a border only.
    isolated_nm : float
        A reference emitter with no other one within this distance in its frame is isolated; 0 to ask for none.
    """

    tolerance_nm: float = 250.0
    axial_tolerance_nm: float = 500.0
    min_photons: float = 0.0
    border_nm: float = 0.0
    field_nm: tuple[float, float] = (nan, nan)
    isolated_nm: float = 0.0


@dataclass(frozen=True, slots=True)
class Score:
    """What `score` finds; a number that is not defined is nan.

    Parameters
    ----------
    references, tests, matched : int
        Emitters of the reference, localizations of the list, pairs; without what the rules leave out.
    jaccard, precision, recall : float
        matched / (references + tests - matched), matched / tests, matched / references.
    rmse_lateral_nm : float
        Root of mean(dx^2 + dy^2) over the pairs.
    rmse_x_nm, rmse_y_nm, rmse_axial_nm : float
        Root mean square along one axis; axial only where both lists have `z_nm`.
    median_lateral_nm : float
        Median lateral distance of the pairs.
    bias_x_nm, bias_y_nm : float
        Mean of test minus reference.
    efficiency_lateral, efficiency_axial : float
        See `efficiency`.
    isolated : int
        Pairs whose reference emitter is isolated.
    rmse_isolated_nm : float
        `rmse_lateral_nm` of these pairs.
    """

    references: int
    tests: int
    matched: int
    jaccard: float
    precision: float
    recall: float
    rmse_lateral_nm: float
    rmse_x_nm: float
    rmse_y_nm: float
    rmse_axial_nm: float
    median_lateral_nm: float
    bias_x_nm: float
    bias_y_nm: float
    efficiency_lateral: float
    efficiency_axial: float
    isolated: int
    rmse_isolated_nm: float


def score(reference: Localizations, test: Localizations, rules: Rules) -> Score:
    """Score a list of localizations against a reference.

    Parameters
    ----------
    reference, test : Localizations
        Finite positions, in the same coordinates. The reference needs `photons` if the rules have a threshold.
    rules : Rules
        What counts.
    """
    rows, columns = match(reference, test, rules.tolerance_nm, rules.axial_tolerance_nm)
    counted = _bright(reference, rules) & _inside(reference, rules)
    pairs = counted[rows]
    alone = np.ones(len(test), bool)
    alone[columns] = False
    tests = int(pairs.sum()) + int((alone & _inside(test, rules)).sum())
    apart = isolated(reference, rules.isolated_nm) if rules.isolated_nm else np.zeros(len(reference), bool)
    return _score(
        reference.where(rows[pairs]), test.where(columns[pairs]), apart[rows[pairs]], int(counted.sum()), tests
    )


def efficiency(jaccard: float, rmse_nm: float, alpha_per_nm: float) -> float:
    """Return 100 - root((100 - 100 J)^2 + (alpha RMSE)^2), in percent; alpha is 1 /nm lateral and 0.5 /nm axial."""
    return 100 - hypot(100 - 100 * jaccard, alpha_per_nm * rmse_nm)


def _score(reference: Localizations, test: Localizations, apart: Mask, references: int, tests: int) -> Score:
    """Score pairs that stand in the same rows of both tables."""
    matched = len(reference)
    dx, dy = _difference("x_nm", reference, test), _difference("y_nm", reference, test)
    axial = "z_nm" in reference and "z_nm" in test
    rmse_lateral, rmse_axial = _rms(np.hypot(dx, dy)), _rms(_difference("z_nm", reference, test)) if axial else nan
    jaccard = _ratio(matched, references + tests - matched)
    return Score(
        references=references,
        tests=tests,
        matched=matched,
        jaccard=jaccard,
        precision=_ratio(matched, tests),
        recall=_ratio(matched, references),
        rmse_lateral_nm=rmse_lateral,
        rmse_x_nm=_rms(dx),
        rmse_y_nm=_rms(dy),
        rmse_axial_nm=rmse_axial,
        median_lateral_nm=float(np.median(np.hypot(dx, dy))) if matched else nan,
        bias_x_nm=float(dx.mean()) if matched else nan,
        bias_y_nm=float(dy.mean()) if matched else nan,
        efficiency_lateral=efficiency(jaccard, rmse_lateral, 1.0),
        efficiency_axial=efficiency(jaccard, rmse_axial, 0.5),
        isolated=int(apart.sum()),
        rmse_isolated_nm=_rms(np.hypot(dx, dy)[apart]),
    )


def _bright(table: Localizations, rules: Rules) -> Mask:
    if not rules.min_photons:
        return np.ones(len(table), bool)
    return np.asarray(table["photons"], np.float64) >= rules.min_photons


def _inside(table: Localizations, rules: Rules) -> Mask:
    """Return which rows lie farther from the edge of the field than the border."""
    if not rules.border_nm:
        return np.ones(len(table), bool)
    inside = np.ones(len(table), bool)
    for axis, size_nm in zip(("x_nm", "y_nm"), rules.field_nm, strict=True):
        position = np.asarray(table[axis], np.float64)
        inside &= (position >= rules.border_nm) & (position <= size_nm - rules.border_nm)
    return inside


def _difference(axis: str, reference: Localizations, test: Localizations) -> Floats:
    return np.asarray(test[axis], np.float64) - np.asarray(reference[axis], np.float64)


def _rms(values: Floats) -> float:
    return float(np.sqrt(np.mean(values**2))) if len(values) else nan


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else nan
