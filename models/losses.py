"""The loss of the localizers: count, mixture of Gaussians, detection map and background (Speiser et al. 2021).

Of DECODE's loss the count term and the mixture are kept; the mixture looks at the 5 x 5 pixels around each true
emitter instead of at all of them, and a cross entropy on the map (as in FD-DeepLoc) places the detections.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from models.prediction import Prediction

REACH = 2


class Target(NamedTuple):
    """Truth of a batch.

    Attributes
    ----------
    sample : (n,) int64
        Sample of each emitter.
    position : (n, d) float
        x, y from the outer corner in pixels; z in units of half its range, from the middle.
    counts : (n,) float
    background : (b, y, x) float
    """

    sample: Tensor
    position: Tensor
    counts: Tensor
    background: Tensor


class Losses(NamedTuple):
    """The parts of a loss by name, and what is minimised; all scalars."""

    parts: dict[str, Tensor]
    total: Tensor


def _log_normal(value: Tensor, mean: Tensor, sigma: Tensor) -> Tensor:
    return -0.5 * ((value - mean) / sigma) ** 2 - torch.log(sigma) - 0.5 * math.log(2 * math.pi)


def count_loss(logit: Tensor, sample: Tensor) -> Tensor:
    """Negative log of Normal(n; sum p, sum p (1 - p)), mean over the batch (Speiser et al. 2021, count loss)."""
    p = torch.sigmoid(logit).flatten(1)
    n = torch.bincount(sample, minlength=len(p)).to(p)
    mean, variance = p.sum(1), (p * (1 - p)).sum(1) + 0.25
    nll = 0.5 * (n - mean) ** 2 / variance + 0.5 * torch.log(variance)
    return nll.mean()


def mixture_loss(prediction: Prediction, target: Target) -> Tensor:
    """Negative log likelihood of each true emitter under the mixture of the 5 x 5 pixels around it, summed."""
    _, height, width = prediction.logit.shape
    steps = torch.arange(-REACH, REACH + 1, device=target.position.device)
    dy, dx = (grid.reshape(1, -1) for grid in torch.meshgrid(steps, steps, indexing="ij"))
    x, y = target.position[:, 0].long()[:, None] + dx, target.position[:, 1].long()[:, None] + dy
    valid = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    flat = target.sample[:, None] * (height * width) + y.clamp(0, height - 1) * width + x.clamp(0, width - 1)
    centers = (x + 0.5, y + 0.5, torch.zeros_like(x))
    log_total = torch.log(torch.sigmoid(prediction.logit).flatten(1).sum(1) + 1e-6)
    log_p = functional.logsigmoid(prediction.logit.flatten()[flat]) - log_total[target.sample][:, None]
    for true, center, offset, sigma in zip(
        target.position.T, centers, prediction.position.flatten(1), prediction.sigma.flatten(1), strict=False
    ):
        log_p = log_p + _log_normal(true[:, None], center + offset[flat], sigma[flat])
    mean, sigma = prediction.log_counts.flatten()[flat], prediction.sigma_log_counts.flatten()[flat]
    log_p = log_p + _log_normal(torch.log(target.counts)[:, None], mean, sigma)
    return -torch.logsumexp(log_p.masked_fill(~valid, -1e4), dim=1).sum()


def detection_loss(logit: Tensor, target: Target) -> Tensor:
    """Binary cross entropy of the map, summed over all pixels."""
    truth = torch.zeros_like(logit)
    x, y = target.position[:, :2].long().unbind(1)
    truth[target.sample, y, x] = 1.0
    return functional.binary_cross_entropy_with_logits(logit, truth, reduction="sum")


def compact(prediction: Prediction, target: Target) -> Losses:
    """Return the loss of the default localizer; mixture and detection are per emitter, the others per sample."""
    per_emitter = 1.0 / (len(target.counts) + len(prediction.logit))
    background = (prediction.sqrt_background - torch.sqrt(target.background)).square().mean((1, 2)).mean()
    number = count_loss(prediction.logit, target.sample)
    mixture = mixture_loss(prediction, target) * per_emitter
    detection = detection_loss(prediction.logit, target) * per_emitter
    parts = {"number": number, "mixture": mixture, "detection": detection, "background": background}
    return Losses(parts, 0.1 * number + mixture + detection + 0.5 * background)
