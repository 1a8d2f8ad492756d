"""How the image of a molecule changes with each thing that may be wrong: derivatives, as splines like the spot's own.

A residual that lies along one of them tells what has changed, and by how much (an efficient score test; Rao 1948).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.guard.molecules.optics import MARGIN_PX, Change, KnownOptics
from models.refining.spline import spline

WAVES, SCALE, BLUR_NM = 0.02, 0.02, 60.0
"""Steps of the differences: small enough to be linear, large enough for single precision."""
NOLL: Mapping[str, int] = {
    "astigmatism at 45 degrees": 5, "astigmatism": 6, "coma along y": 7, "coma along x": 8, "trefoil along y": 9,
    "trefoil along x": 10, "spherical aberration": 11,
}  # fmt: skip
SCALED, BLURRED = "pixel size", "blur"


@dataclass(frozen=True, slots=True)
class Templates:
    """Derivatives of the share of the light on each pixel.

    Parameters
    ----------
    names : tuple of str
        Keys of `NOLL` (per wave), then the relative pixel size (per 1), then blur (per square of `BLUR_NM`).
    coefficients : (k, z, 2, 2, y, x) float32
        As those of `SplineSpot`, on the same knots.
    """

    names: tuple[str, ...]
    coefficients: NDArray[np.float32]


def templates(optics: KnownOptics, z_nm: tuple[float, float], window_px: int) -> Templates:
    """Return the derivatives of a model's spots on the knots that `spline` has for this z and window."""

    def knots(change: Change) -> NDArray[np.float32]:
        return spline(optics.exact(change, window_px + MARGIN_PX), z_nm, window_px).coefficients

    found = {
        name: (knots(Change(j, WAVES)) - knots(Change(j, -WAVES))) / np.float32(2 * WAVES) for name, j in NOLL.items()
    }
    wider, narrower = (knots(Change(pixel_scale=1 + sign * SCALE)) for sign in (1, -1))
    found[SCALED] = (wider - narrower) / np.float32(2 * SCALE)
    found[BLURRED] = knots(Change(blur_nm=BLUR_NM)) - knots(Change())
    return Templates(tuple(found), np.stack(list(found.values())))
