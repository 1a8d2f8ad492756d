"""How far a super-resolved image is from the true one: the normalised mean square error of Deep-STORM's paper.

NMSE = |a x - x0|^2 / |x0|^2 (Nehme et al. 2018, with both images of the same scale): x0 is what is true, x what is
judged, each under a Gaussian of one super-resolved pixel. Images differ in what they count (molecules, localizations,
light), so a is the factor that suits best: 0 is perfect, 1 is no better than nothing. What an image counts is judged
by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, zoom

from models.camera import Camera
from models.evaluation.conditions import Conditions
from models.evaluation.dense import LEAST_PHOTONS, scene
from models.images.space import UPSAMPLING
from models.localizations import Localizations

Float32 = NDArray[np.float32]
Draw = Callable[[NDArray[np.uint16], Camera], Float32]
"""Frames (t, y, x) ADU, camera -> their image (8 y, 8 x), any unit."""
DENSITIES_PER_UM2 = (0.25, 0.5, 1.0, 2.0, 4.0, 6.0)
"""Of the whole field; on filaments molecules are about ten times denser than that."""
PHOTONS, STRUCTURE, SEED = 2000.0, "filaments", 31_000
BLURS_PX = {"nmse": 1.0, "nmse_coarse": 3.0}
"""Standard deviations of the Gaussian that images are compared under, in super-resolved pixels: the paper's, and one
that forgives a shift of as much as molecules are localized to."""


def true_image(truth: Localizations, shape: tuple[int, int], pixel_size_nm: float, least_photons: float) -> Float32:
    """Return how often molecules shone in each super-resolved pixel, (8 y, 8 x), for frames of `shape` (y, x)."""
    seen = np.asarray(truth["photons"]) >= least_photons
    row, column = (np.asarray(truth[name])[seen] * (UPSAMPLING / pixel_size_nm) for name in ("y_nm", "x_nm"))
    height, width = (UPSAMPLING * side for side in shape)
    counted, _, _ = np.histogram2d(row, column, (height, width), ((0, height), (0, width)))
    return np.asarray(counted, np.float32)


def nmse(image: Float32, truth: Float32, blur_px: float) -> float:
    """Return the error of an image, as above, under a Gaussian of `blur_px`."""
    x, x0 = (gaussian_filter(one.astype(np.float64), blur_px, mode="constant") for one in (image, truth))
    size = float((x * x).sum())
    scale = float((x * x0).sum()) / size if size else 0.0
    return float(((scale * x - x0) ** 2).sum() / (x0 * x0).sum())


def sum_image(conditions: Conditions) -> Draw:
    """Return what a widefield microscope shows: the light of all frames without its background, enlarged by splines."""

    def draw(stack: NDArray[np.uint16], camera: Camera) -> Float32:
        light = camera.photo_electrons(stack).sum(axis=0) - len(stack) * conditions.background
        return np.asarray(zoom(light, UPSAMPLING, order=3, mode="nearest", grid_mode=True), np.float32)

    return draw


def by_density(
    contestants: Mapping[str, Draw], conditions: Conditions, frames: int, densities: tuple[float, ...]
) -> dict[str, dict[str, dict[str, float]]]:
    """Return the figures of each contestant by density, on the same scenes of filaments.

    `counted` is what an image holds over the molecules that shone: 1 if it counts molecules, and rightly.
    """
    found: dict[str, dict[str, dict[str, float]]] = {}
    least = LEAST_PHOTONS / conditions.camera.quantum_efficiency
    for density in densities:
        stack, truth = scene(conditions, density, PHOTONS, frames, SEED, STRUCTURE)
        right = true_image(truth, stack.shape[1:], conditions.spot.pixel_size_nm, least)
        for name, draw in contestants.items():
            image = draw(stack, conditions.camera)
            errors = {blur: round(nmse(image, right, px), 4) for blur, px in BLURS_PX.items()}
            counted = round(float(image.sum() / right.sum()), 4)
            found.setdefault(name, {})[f"{density:g}"] = {**errors, "counted": counted}
    return found
