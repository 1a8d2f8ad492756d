"""Photons and background of images whose shape is known: two linear parameters each, by maximum likelihood.

Iteratively reweighted least squares, which for a linear mean is Fisher scoring (Green, J. R. Stat. Soc. B 46, 1984).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.fitting.bead_model import LEAST_LIGHT
from models.fitting.likelihood import shifted

Float64 = NDArray[np.float64]
MOST_ROUNDS, STILL = 30, 1e-7


def light(counts: Float64, images: Float64, variance: Float64) -> tuple[Float64, Float64]:
    """Return photons and background of each image, (n,) each, both above nothing.

    Parameters
    ----------
    counts, images : (n, y, x) float
        Photo-electrons over the excess noise factor, and the share of the photons that each pixel gets.
    variance : (n, y, x) or broadcast
        Of the read noise, in the same unit squared.
    """
    d, shape = counts.reshape(len(counts), -1), images.reshape(len(counts), -1)
    noise = np.broadcast_to(variance, counts.shape).reshape(d.shape)
    photons, background = _weighted(d, shape, np.ones_like(d))
    for _ in range(MOST_ROUNDS):
        mean = photons[:, None] * shape + background[:, None]
        before, (photons, background) = photons, _weighted(d, shape, 1 / shifted(mean, noise))
        if (np.abs(photons - before) <= STILL * photons).all():
            break
    return photons, background


def _weighted(d: Float64, shape: Float64, weight: Float64) -> tuple[Float64, Float64]:
    """Solve for both; where one would be below nothing it is nothing, and the other is solved for alone."""
    w, ws, wss = weight.sum(1), (weight * shape).sum(1), (weight * shape**2).sum(1)
    wd, wsd = (weight * d).sum(1), (weight * shape * d).sum(1)
    det = np.maximum(w * wss - ws**2, 1e-30)
    photons, background = (w * wsd - ws * wd) / det, (wss * wd - ws * wsd) / det
    dark, empty = background < LEAST_LIGHT, photons < LEAST_LIGHT
    photons = np.where(dark, (wsd - LEAST_LIGHT * ws) / wss, photons)
    background = np.where(empty, (wd - LEAST_LIGHT * ws) / w, background)
    return np.maximum(photons, LEAST_LIGHT), np.maximum(background, LEAST_LIGHT)
