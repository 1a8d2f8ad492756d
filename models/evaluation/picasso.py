"""Picasso's Gaussian maximum likelihood (Schnitzbauer et al. 2017) as one more localizer, where it is installed."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.camera import Camera
from models.evaluation.conditions import Locate
from models.localizations import Localizations, empty

BOX_PX = 9
MIN_NET_GRADIENT = 300.0
"""In photo-electrons: finds emitters of some 300 on a background of 10."""
TOLERANCE, MOST_STEPS = 0.001, 100


def picasso(pixel_size_nm: float) -> Locate | None:
    """Return Picasso's localizer for spots in focus; None where it is not installed."""
    if find_spec("picasso") is None:
        return None
    localize, gaussmle = (import_module(f"picasso.{name}") for name in ("localize", "gaussmle"))

    def locate(stack: NDArray[np.uint16], camera: Camera) -> Localizations:
        counts = np.asarray(camera.photo_electrons(stack), np.float32)
        spots = localize.identify(counts, MIN_NET_GRADIENT, BOX_PX, threaded=False, return_info=False)
        if not len(spots):
            return empty()
        camera_info = {"Baseline": 0, "Sensitivity": 1, "Gain": 1}
        windows = localize.get_spots(counts, spots, BOX_PX, camera_info)
        theta, variances, _, steps = gaussmle.gaussmle(windows, TOLERANCE, MOST_STEPS, method="sigma")
        return _table(spots, theta, variances, steps < MOST_STEPS, camera, pixel_size_nm)

    return locate


def _table(
    spots: Any, theta: NDArray[np.float32], variances: NDArray[np.float32], good: NDArray[np.bool_], camera: Camera,
    pixel_size_nm: float,
) -> Localizations:  # fmt: skip
    x, y = (theta[:, k] + np.asarray(spots[name]) - BOX_PX // 2 + 0.5 for k, name in enumerate(("x", "y")))
    sigma = np.sqrt(variances[:, :3]) * camera.excess**0.5
    good = good & np.isfinite(theta).all(1) & np.isfinite(sigma).all(1)
    return Localizations({
        "frame": np.asarray(spots["frame"]), "x_nm": x * pixel_size_nm, "y_nm": y * pixel_size_nm,
        "sigma_x_nm": sigma[:, 0] * pixel_size_nm, "sigma_y_nm": sigma[:, 1] * pixel_size_nm,
        "photons": theta[:, 2] / camera.quantum_efficiency, "background": theta[:, 3],
    }).where(good)  # fmt: skip
