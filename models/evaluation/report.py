"""Everything that is asked of a localizer, as plain numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from models.evaluation.artefacts import false_positives, histogram_in_pixel
from models.evaluation.conditions import Conditions, Locate
from models.evaluation.dense import dense
from models.evaluation.isolated import bias_map, by_depth, calibration, isolated, precision

SEED = 20_000
NEAR_FOCUS = 0.8
"""Single emitters are judged within this share of the depth: at its ends a spot may leave what is known."""
DENSITIES_PER_UM2 = (0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0)
PHOTONS = (300.0, 1000.0, 3000.0, 10_000.0)
SINGLE_PHOTONS = (1000.0, 4000.0)
USUAL_PHOTONS, USUAL_DENSITY = 2000.0, 0.5
SLICES = 8


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is simulated.

    Parameters
    ----------
    frames : int
        Of 64 x 64 pixels, for each density and brightness.
    emitters : int
        Single ones, for each brightness.
    """

    frames: int = 60
    emitters: int = 1000


def judge(locate: Locate, conditions: Conditions, effort: Effort) -> dict[str, Any]:
    """Return all figures of one localizer; the same scenes for every localizer."""
    frames, half, pixel = effort.frames, conditions.half_depth_nm, conditions.spot.pixel_size_nm
    singles = {n: isolated(locate, conditions, n, effort.emitters, SEED + 1) for n in SINGLE_PHOTONS}
    near = {n: found.within(NEAR_FOCUS * half) for n, found in singles.items()}
    edges = np.linspace(-half, half, SLICES + 1) if half else np.array([-1.0, 1.0])
    return {
        "by_density": [
            {"density_per_um2": d, **dense(locate, conditions, d, USUAL_PHOTONS, frames, SEED)}
            for d in DENSITIES_PER_UM2
        ],
        "by_photons": [{"photons": n, **dense(locate, conditions, USUAL_DENSITY, n, frames, SEED)} for n in PHOTONS],
        "single": [
            {
                "photons": n,
                "found": len(singles[n].truth) / effort.emitters,
                **precision(near[n]),
                **calibration(near[n]),
                "by_depth": by_depth(singles[n], edges),
                "bias_in_pixel": bias_map(near[n], pixel),
            }
            for n in SINGLE_PHOTONS
        ],
        "false_positives_per_1e5_px": false_positives(locate, conditions, max(1, frames // 3), SEED),
        "flatness_in_pixel": histogram_in_pixel(locate, conditions, 2 * frames, SEED),
    }
