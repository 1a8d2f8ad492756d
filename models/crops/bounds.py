"""Cramer-Rao bounds of what a crop tells of its emitter (`models/optics/crlb.py`)."""

from __future__ import annotations

import torch
from torch import Tensor

from models.crops.samples import EmitterCrops
from models.crops.spots import CropSpots
from models.optics.crlb import bounds, fisher


def crop_bounds(spots: CropSpots, crops: EmitterCrops, further_known: bool = True) -> Tensor:
    """Return the smallest standard deviations, (b, k), of the columns of `EmitterCrops.truth`.

    Parameters
    ----------
    spots : CropSpots
        That the crops were drawn with.
    crops : EmitterCrops
    further_known : bool
        Position and light have the bounds of somebody who knows pupil and orientation, which have none (infinite);
        else all are unknown, and nothing is known beforehand.
    """
    mean, jacobian = expected_counts(spots, crops.truth, of_further=not further_known)
    sigma: Tensor = bounds(fisher(jacobian.double(), mean.double(), crops.variance.double().flatten(1)))
    unknown = torch.full((len(sigma), crops.truth.shape[1] - sigma.shape[1]), torch.inf, dtype=sigma.dtype)
    return torch.cat((sigma, unknown.to(sigma.device)), dim=1).to(crops.truth)


def expected_counts(spots: CropSpots, truth: Tensor, of_further: bool) -> tuple[Tensor, Tensor]:
    """Return expected counts (b, pixels), and their derivatives by columns of the truth, (b, k, pixels)."""
    pixel = spots.pixel_size_nm
    place_nm = torch.cat((truth[:, :2] * pixel, truth[:, 2:3]), dim=1)
    share, slopes = spots.with_slopes(place_nm, truth[:, 5:], of_further)
    share, slopes = share.flatten(1), slopes.flatten(2)
    photons, background = truth[:, 3:4], truth[:, 4:5]
    by_place = torch.cat((slopes[:, :2] * pixel, slopes[:, 2:3]), dim=1) * photons[:, None]
    light = torch.stack((share, torch.ones_like(share)), dim=1)
    return photons * share + background, torch.cat((by_place, light, slopes[:, 3:] * photons[:, None]), dim=1)
