"""What a retrieval is worth, in words: is the data explained, how well is the pupil known, what else fits better."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt

import numpy as np

from models.fitting.retrieval import Retrieved

NOTABLE = 0.9
"""Another assumption is named if its chi-square, less 1, is below this part of the one that was made."""
SPECIFIED_WAVES = 0.02


def verdict(found: Retrieved, others: Mapping[str, Retrieved], expected_sign: Mapping[int, float]) -> list[str]:
    """Return sentences, the most important first.

    Parameters
    ----------
    found : Retrieved
    others : mapping of str to Retrieved
        The same data under another assumption, by what was assumed.
    expected_sign : mapping of Noll index to float
        Coefficients whose sign is known of the microscope.
    """
    lines = [_fit(found)]
    for mode, sign in expected_sign.items():
        value = found.zernike_waves.get(mode, 0.0)
        if value * sign < 0 and abs(value) > 3 * found.sigma_waves[mode]:
            known = "positive" if sign > 0 else "negative"
            lines.append(
                f"Noll {mode} is {value:+.3f} waves, and the rig says that it is {known}: the stage moves otherwise "
                "than stated, or the camera's picture is turned"
            )
    lines += [
        f"{name} fits better: chi-square {other.chi2:.2f} instead of {found.chi2:.2f}"
        for name, other in others.items()
        if other.chi2 - 1 < NOTABLE * (found.chi2 - 1) and other.chi2 < found.chi2 - 3 * sqrt(2 / found.freedom)
    ]
    if not found.converged:
        lines.append("the fit had not come to rest; more slices or more light would help")
    if found.error_waves > SPECIFIED_WAVES:
        lines.append(f"the wavefront is known to {found.error_waves:.3f} waves only: take more light or more slices")
    return lines


def residual_share(found: Retrieved, counts: list[np.ndarray]) -> float:
    """Return the root mean square of data less model over that of the data without background."""
    rest = [data - bead.model for data, bead in zip(counts, found.beads, strict=True)]
    light = [data - bead.background[:, None, None] for data, bead in zip(counts, found.beads, strict=True)]
    return float(np.linalg.norm(np.ravel(rest)) / np.linalg.norm(np.ravel(light)))


def _fit(found: Retrieved) -> str:
    if found.explained:
        return f"the model explains the beads within the noise (chi-square {found.chi2:.3f})"
    return (
        f"the model does not explain the beads (chi-square {found.chi2:.2f}): check the direction of the stage, the "
        "step, pixel size, aperture, indices and gain; bright beads show finer structure than the modes have"
    )
