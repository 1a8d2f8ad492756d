"""What goes on the card as scores: held-out simulated scenes, and the ratio to the Cramer-Rao bound."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from export.graph import COLUMNS, DeployedLocalizer
from models.camera import Camera
from models.localizations import Localizations
from models.metrics import Rules, score
from models.optics.crlb import spot_bounds
from models.optics.gaussian import GaussianSpot, constant, profiles
from models.scenes.scene import Scene, SceneSettings

PIXEL_NM = 100.0
READ_NOISE_E = 1.5
CAMERA = Camera(offset_adu=100, gain_adu_per_e=2.0, read_noise_e=READ_NOISE_E)
SEED = 20_000


def locate(module: DeployedLocalizer, stack: NDArray[np.uint16], camera: Camera, threshold: float) -> Localizations:
    """Locate all frames of a (t, y, x) stack at once; the first and the last frame stand in for their neighbours."""
    t, height, width = stack.shape
    plane = np.ones((height, width), np.float32)
    maps = [plane * value for value in (camera.offset_adu, camera.adu_per_photo_electron, camera.variance_e2)]
    scalars = [np.asarray(value, np.float32) for value in (camera.excess, threshold)]
    padded = np.concatenate((stack[:1], stack, stack[-1:]))
    context = torch.zeros(2, module.network.channels, -(-height // 4) * 2, -(-width // 4) * 2)
    with torch.no_grad():
        frame, table, _, _ = module(*(torch.from_numpy(np.asarray(a)) for a in (padded, *maps, *scalars)), context)
    rows, frames = table.numpy(), frame.numpy() - 2  # one for the look-ahead, one for the repeated first frame
    here = (frames >= 0) & (frames < t)
    column = {name: rows[here, k] for k, name in enumerate(COLUMNS)}
    x_nm, y_nm = column["x_px"] * PIXEL_NM, column["y_px"] * PIXEL_NM
    return Localizations({"frame": frames[here], "x_nm": x_nm, "y_nm": y_nm, "photons": column["photons"]})


def scene_score(module: DeployedLocalizer, density_per_um2: float, threshold: float) -> dict[str, float]:
    """Score 100 frames of 64 x 64 pixels: uniform emitters of 1,500 photons, background 20, on for 2 frames."""
    settings = SceneSettings(
        height_px=64, width_px=64, pixel_size_nm=PIXEL_NM, structure="uniform", density_per_um2=density_per_um2,
        duty_cycle=0.01, background=20, psf="gaussian",
    )  # fmt: skip
    scene = Scene(settings, CAMERA, np.random.default_rng(SEED))
    pictures, truths = zip(*(scene.picture() for _ in range(100)), strict=True)
    truth = {name: np.concatenate([part[name] for part in truths]) for name in truths[0]}
    rules = Rules(min_photons=150, border_nm=300, field_nm=(6400, 6400))
    result = score(Localizations(truth), locate(module, np.stack(pictures), CAMERA, threshold), rules)
    return {"jaccard": round(result.jaccard, 4), "rmse_lateral_nm": round(result.rmse_lateral_nm, 2)}


def crlb_ratio(module: DeployedLocalizer, photons: float, threshold: float) -> float:
    """Root mean square of (error / bound) in x of 400 isolated emitters that are on in one frame only."""
    rng, size, sigma, background = np.random.default_rng(SEED + 1), 25, 1.3, 10.0
    centers = size / 2 + rng.uniform(-0.5, 0.5, (400, 2))
    light = [photons * np.outer(*profiles(center[::-1], sigma, size)) + background for center in centers]
    dark = np.full((size, size), background)
    stack = CAMERA.expose(np.stack([plane for spot in light for plane in (dark, spot, dark)]), rng)
    table = locate(module, stack, CAMERA, threshold)
    spot, which = table["frame"] % 3 == 1, table["frame"] // 3
    error = table["x_nm"][spot] / PIXEL_NM - centers[which[spot], 0]
    near = np.abs(error) < 1
    bound = _bound_px(centers - size / 2, size, sigma, photons, background)
    return round(float(np.sqrt(np.mean(error[near] ** 2)) / bound), 3)


def _bound_px(
    offsets_px: NDArray[np.float64], size_px: int, sigma_px: float, photons: float, background: float
) -> float:
    """Return the bound of x for spots at (n, 2) from the window's centre, averaged over them."""
    spot = GaussianSpot(constant(sigma_px * PIXEL_NM), PIXEL_NM, size_px)
    rest = np.broadcast_to([0.0, photons, background], (len(offsets_px), 3))
    parameters = np.concatenate((offsets_px * PIXEL_NM, rest), axis=1)
    bounds = spot_bounds(spot, parameters, READ_NOISE_E**2, free=("x_nm", "y_nm", "photons", "background"))
    return float(np.sqrt(np.mean(bounds["x_nm"] ** 2))) / PIXEL_NM


def scores(module: DeployedLocalizer, threshold: float) -> dict[str, Any]:
    """Return what the network scores, and on what."""
    return {
        "data": "simulated, held-out seed: 100 nm pixels, Gaussian PSF of 1.3 pixels, sCMOS with 1.5 e read noise",
        "jaccard_and_rmse_by_density_per_um2": {
            str(d): scene_score(module, d, threshold) for d in (0.1, 0.5, 1.0, 2.0)
        },
        "x_rmse_over_cramer_rao_by_photons": {str(n): crlb_ratio(module, n, threshold) for n in (300, 1000, 5000)},
    }
