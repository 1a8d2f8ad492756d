"""Structural similarity of images on several scales, from 0 to 1 (Wang, Simoncelli & Bovik, Asilomar 2003)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Of the scales, from fine to coarse (their section 3.2)."""
C1, C2 = 0.01**2, 0.03**2
"""For images from 0 to 1 (Wang et al., IEEE Trans. Image Process. 13, 600, 2004)."""
WINDOW_PX, SIGMA_PX = 11, 1.5


def multiscale_similarity(image: Tensor, truth: Tensor) -> Tensor:
    """Return the similarity of images (b, y, x), each from 0 to 1, as (b,); sides are at least 176 pixels."""
    x, y = image[:, None], truth[:, None]
    result = torch.ones(len(image), device=image.device)
    for scale, weight in enumerate(WEIGHTS):
        luminance, contrast = _terms(x, y)
        last = scale == len(WEIGHTS) - 1
        part = (luminance * contrast if last else contrast).mean((1, 2, 3))
        result = result * part.clamp(min=1e-6) ** weight
        x, y = functional.avg_pool2d(x, 2), functional.avg_pool2d(y, 2)
    return result


def _terms(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Return luminance, and contrast with structure, of each window (eq. 1 to 3 there)."""
    mean_x, mean_y = _window(x), _window(y)
    variances = _window(x * x) + _window(y * y) - mean_x**2 - mean_y**2
    covariance = _window(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)
    return luminance, (2 * covariance + C2) / (variances + C2)


def _window(image: Tensor) -> Tensor:
    """Return means under a Gaussian window, where it lies inside."""
    place = torch.arange(WINDOW_PX, device=image.device) - WINDOW_PX // 2
    line = torch.exp(-(place**2) / (2 * SIGMA_PX**2)).to(image)
    line = line / line.sum()
    return functional.conv2d(functional.conv2d(image, line[None, None, None, :]), line[None, None, :, None])
