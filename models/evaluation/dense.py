"""Many emitters at once: the metrics of the SMLM challenge by density and by photons."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from models.evaluation.conditions import Conditions, Locate
from models.localizations import Localizations
from models.metrics import Rules, score
from models.scenes.scene import Scene
from models.scenes.settings import SceneSettings

SIDE_PX = 64
LEAST_PHOTONS = 300.0
"""Photo-electrons in the frame; whether dimmer emitters are found does not count."""
BORDER_NM = 1000.0


def scene(
    conditions: Conditions, density_per_um2: float, photons: float, frames: int, seed: int, structure: str = "uniform"
) -> tuple[NDArray[np.uint16], Localizations]:
    """Return frames of 64 x 64 pixels and the truth: emitters on for two frames in the mean, log-normal brightness."""
    efficiency = conditions.camera.quantum_efficiency
    settings = SceneSettings(
        height_px=SIDE_PX, width_px=SIDE_PX, pixel_size_nm=conditions.spot.pixel_size_nm, structure=structure,
        depth_nm=2 * conditions.half_depth_nm, density_per_um2=density_per_um2, duty_cycle=0.01,
        photons=photons / efficiency, background=conditions.background / efficiency,
    )  # fmt: skip
    view = Scene(settings, conditions.camera, np.random.default_rng(seed), conditions.spot)
    pictures, truths = zip(*(view.picture() for _ in range(frames)), strict=True)
    truth = {name: np.concatenate([part[name] for part in truths]) for name in truths[0]}
    if not conditions.half_depth_nm:
        del truth["z_nm"]
    return np.stack(pictures), Localizations(truth)


def dense(
    locate: Locate, conditions: Conditions, density_per_um2: float, photons: float, frames: int, seed: int
) -> dict[str, float]:
    """Return the metrics of one density and brightness."""
    stack, truth = scene(conditions, density_per_um2, photons, frames, seed)
    side = SIDE_PX * conditions.spot.pixel_size_nm
    least = LEAST_PHOTONS / conditions.camera.quantum_efficiency
    rules = Rules(min_photons=least, border_nm=BORDER_NM, field_nm=(side, side))
    result = asdict(score(truth, locate(stack, conditions.camera), rules))
    names = ("jaccard", "precision", "recall", "rmse_lateral_nm", "rmse_axial_nm", "median_lateral_nm",
             "efficiency_lateral", "efficiency_axial", "references")  # fmt: skip
    return {name: round(float(result[name]), 4) for name in names}
