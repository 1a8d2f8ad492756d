"""What a retrieval is worth, in words: is the data explained, how well is the pupil known, does the stage fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt

import numpy as np

from models.beads.field import Field
from models.beads.finer import Finer
from models.beads.task import Answer
from models.fitting.retrieved import Retrieved, RetrievedBead

NOTABLE = 0.9
"""The other direction of the stage is named if its chi-square, less 1, is below this part of that of the stated one."""
SPECIFIED_WAVES = 0.02
MOLECULE_COUNTS = 1000.0
"""Photo-electrons over the excess noise factor of an ordinary molecule in a frame."""
CORNERS = 5
"""Places along each edge of the field, the middle among them, where a change is looked at."""


def verdict(answer: Answer, expected_sign: Mapping[int, float]) -> list[str]:
    """Return sentences, the most important first.

    Parameters
    ----------
    answer : Answer
    expected_sign : mapping of Noll index to float
        Coefficients whose sign is known of the microscope.
    """
    found = answer.found
    lines = [_fit(found), *contradictions(answer, expected_sign)]
    if not found.explained:
        lines.append(
            f"molecules are dimmer: for one of {MOLECULE_COUNTS:,.0f} counts a chi-square of "
            f"{chi2_of_molecule(found, MOLECULE_COUNTS):.2f} is to be expected"
        )
    if not found.converged:
        lines.append("the fit had not come to rest; more slices or more light would help")
    if found.error_waves > SPECIFIED_WAVES:
        lines.append(f"the wavefront is known to {found.error_waves:.3f} waves only: take more light or more slices")
    return lines


def contradictions(answer: Answer, expected_sign: Mapping[int, float]) -> list[str]:
    """Return sentences on what speaks against the stage as it is stated; none if nothing does. As `verdict`."""
    found, first, turned, lines = answer.found, answer.first, answer.reversed, list[str]()
    for mode, sign in expected_sign.items():
        value = found.zernike_waves.get(mode, 0.0)
        if value * sign < 0 and abs(value) > 3 * found.sigma_waves[mode]:
            known = "positive" if sign > 0 else "negative"
            lines.append(
                f"Noll {mode} is {value:+.3f} waves, and the rig says that it is {known}: the stage moves otherwise "
                "than stated, or the camera's picture is turned"
            )
    doubt = 3 * sqrt(2 / first.freedom)
    if turned.chi2 - 1 < NOTABLE * (first.chi2 - 1) and turned.chi2 < first.chi2 - doubt:
        lines.append(
            f"the stage moving the other way fits one bead better: chi-square {turned.chi2:.2f}, not {first.chi2:.2f}"
        )
    return lines


def chi2_of_molecule(found: Retrieved, counts: float) -> float:
    """Return the chi-square that is to be expected of one molecule behind this pupil, 1 if the pupil is right.

    What a model misses is a share of the light, and the noise its root: the excess over 1 grows with the light. A bead
    is far brighter than a molecule, so that a pupil that does not explain the bead may well do for the molecule.

    Parameters
    ----------
    found : Retrieved
    counts : float
        Of the molecule in a frame; photo-electrons over the excess noise factor, as those of the beads.
    """
    light = float(np.mean([bead.photons.mean() for bead in found.beads]))
    return 1 + (found.chi2 - 1) * counts / light


def field_verdict(field: Field) -> str:
    """Return a sentence on whether the aberrations change over the field."""
    if field.order == 0:
        return (
            f"the aberrations are the same all over the field within the noise of {field.beads} beads "
            f"(chi-square {field.chi2:.0f} with {field.freedom} degrees of freedom, p = {field.p_constant:.2g})"
        )
    left, top, right, bottom = field.box_um
    grid = [field.at(x, y) for x in np.linspace(left, right, CORNERS) for y in np.linspace(top, bottom, CORNERS)]
    changes = [
        f"Noll {j} from {min(at[j] for at in grid):+.3f} to {max(at[j] for at in grid):+.3f} waves"
        for j, polynomial in field.polynomials.items()
        if polynomial.order
    ]
    return (
        f"the aberrations change over the field: {', '.join(changes)} between the beads; were they the same, "
        f"chi-square {field.chi2:.0f} with {field.freedom} degrees of freedom would have p = {field.p_constant:.2g}"
    )


def finer_verdict(finer: Finer) -> str:
    """Return a sentence on whether the cells of the pupil are used."""
    before, after = finer.before.chi2, finer.after.chi2
    if finer.better:
        return f"cell by cell the pupil foretells slices that were left out: chi-square {after:.3f}, not {before:.3f}"
    return (
        f"cell by cell the pupil foretells slices that were left out no better (chi-square {after:.3f}, not "
        f"{before:.3f}): noise was fitted, or what is left is not in the pupil; the cells are not used"
    )


def residual_share(beads: Sequence[RetrievedBead], counts: Sequence[np.ndarray]) -> float:
    """Return the root mean square of data less model over that of the data without background."""
    rest = [data - bead.model for data, bead in zip(counts, beads, strict=True)]
    light = [data - bead.background[:, None, None] for data, bead in zip(counts, beads, strict=True)]
    return float(np.linalg.norm(np.ravel(rest)) / np.linalg.norm(np.ravel(light)))


def _fit(found: Retrieved) -> str:
    if found.explained:
        return f"the model explains the beads within the noise (chi-square {found.chi2:.3f})"
    return (
        f"the model does not explain the beads (chi-square {found.chi2:.2f}): check the direction of the stage, the "
        "step, pixel size, aperture, indices and gain; bright beads show finer structure than the modes have, "
        "which [beads] pixelwise = true looks for"
    )
