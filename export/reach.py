"""How far a network sees: from which pixels a localization can depend on what a camera counted."""

from __future__ import annotations

from copy import deepcopy

import torch

from models.images.space import UPSAMPLING
from models.layers import OverFrames
from models.systems.deep_storm import ImageNetwork

SIDE_PX = 160
OF_SCORES_PX, OF_POSITIONS_PX = 1, 2
"""Scores look at the pixels beside one another (`graph.py`), and so far from its pixel may a position lie."""


def reach_px(network: OverFrames, side_px: int = SIDE_PX) -> int:
    """Return the largest distance in rows or columns between an output pixel and an input pixel that it depends on.

    With positive weights and inputs no path from one to the other is cut off or cancelled by another, so whatever
    reaches the output has a gradient.

    Raises
    ------
    ValueError
        It may see further than frames of `side_px` let it.
    """
    positive = deepcopy(network).requires_grad_(False)
    for weights in positive.parameters():
        weights.fill_(1 / max(weights[0].numel(), 1))
    farthest, step = 0, 4
    for phase in range(step):
        counts = torch.full((1, side_px, side_px), 50.0, requires_grad=True)
        features = positive.encode(counts, torch.ones(side_px, side_px))
        middle = side_px // 2 + phase
        positive.locate(features, features, features)[0, :, middle, middle].sum().backward()  # type: ignore[no-untyped-call]
        assert counts.grad is not None
        rows, columns = (torch.nonzero(counts.grad[0].abs().sum(axis)).flatten() for axis in (1, 0))
        farthest = max(farthest, *(int((found - middle).abs().max()) for found in (rows, columns)))
    if farthest >= side_px // 2 - step:
        raise ValueError(f"the network sees at least {farthest} pixels far, in frames of {side_px}")
    return farthest + OF_SCORES_PX + OF_POSITIONS_PX


@torch.no_grad()
def image_reach_px(network: ImageNetwork, most_px: int = 128) -> int:
    """Return the largest distance, in camera pixels, between a pixel and the part of an image that depends on it.

    With positive weights a pixel that becomes brighter makes all brighter that depend on it, maxima included. Frames
    are as small as that distance lets them be.

    Raises
    ------
    ValueError
        It sees further than frames of `most_px` let it.
    """
    positive = deepcopy(network).double().eval()
    for weights in positive.parameters():
        weights.fill_(1 / max(weights[0].numel(), 1))
    side_px = 16
    while (farthest := _farthest(positive, side_px)) >= side_px // 2 - positive.multiple_px:
        side_px *= 2
        if side_px > most_px:
            raise ValueError(f"the network sees at least {farthest} pixels far, in frames of {side_px // 2}")
    return farthest


def _farthest(positive: ImageNetwork, side_px: int) -> int:
    """Return how far from a pixel in the middle of a frame the image becomes brighter with it, in camera pixels."""
    counts = torch.full((1, side_px, side_px), 50.0, dtype=torch.float64)
    variance = torch.ones(side_px, side_px, dtype=torch.float64)
    before, farthest = positive(counts, variance), 0
    for middle in range(side_px // 2, side_px // 2 + positive.multiple_px):
        brighter = counts.clone()
        brighter[0, middle, middle] = 5e4
        changed = positive(brighter, variance) > before
        for axis in (1, 2):
            found = torch.nonzero(changed.any(dim=axis)[0]).flatten() // UPSAMPLING
            farthest = max(farthest, int((found - middle).abs().max()))
    return farthest
