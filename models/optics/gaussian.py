"""Pixel-integrated Gaussian spots (Smith et al. 2010, equation 4a), separable in x and y."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr


def profiles(
    centers_px: NDArray[np.floating], sigma_px: NDArray[np.floating] | float, length_px: int
) -> NDArray[np.float32]:
    """Return the share of a unit Gaussian that falls into each pixel of a row.

    Parameters
    ----------
    centers_px : (n,) float
        Centres in pixels; the outer edge of pixel 0 is at 0, its centre at 0.5.
    sigma_px : float or (n,) float
        Standard deviation in pixels.
    length_px : int
        Pixels in the row.

    Returns
    -------
    (n, length_px) float32
    """
    edges = np.arange(length_px + 1, dtype=np.float32)
    sigma = np.broadcast_to(np.asarray(sigma_px, np.float32), np.shape(centers_px))[:, None]
    below = ndtr((edges - np.asarray(centers_px, np.float32)[:, None]) / sigma)
    return np.asarray(np.diff(below, axis=1), np.float32)
