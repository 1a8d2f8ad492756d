"""How well orientations are told: the angle between axes, by photons, beside its bound.

The bound of that angle is the root of var(theta) + sin(theta)^2 var(phi), of somebody who knows neither place, light
nor mobility. Medians, because upright and lying dipoles, and those in focus, are told badly by anyone.
"""

from __future__ import annotations

import numpy as np
import torch

from models.crops.bounds import expected_counts
from models.crops.orientation import COLUMN, apart_deg, turn_bounds
from models.crops.scoring import BACKGROUND_E, OUTLIER, READ_NOISE_E, Answer, Float64
from models.crops.spots import CropSpots
from models.optics.crlb import bounds, fisher
from models.sample_space import SampleSpace

PHOTONS = (500.0, 1000.0, 2000.0, 5000.0, 10_000.0)
SEED, AT_ONCE = 84_000, 64


def oriented_scores(answer: Answer, spots: CropSpots, space: SampleSpace, count: int) -> dict[str, dict[str, float]]:
    """Return by photons the errors in degrees of `count` dipoles anywhere in the space, and their bound.

    Parameters
    ----------
    answer : Answer
        With theta_deg and phi_deg.
    spots : CropSpots
        Dipoles.
    space : SampleSpace
        Of the training.
    count : int
    """
    rng, found = np.random.default_rng(SEED), {}
    truth = torch.tensor(_places(space, spots, count, rng), dtype=torch.float32)
    parts = [expected_counts(spots, part, of_further=True) for part in torch.split(truth, AT_ONCE)]
    share, jacobian = (torch.cat(part) for part in zip(*parts, strict=True))
    side = int(share.shape[1] ** 0.5)
    for photons in PHOTONS:
        mean = photons * share.clamp(min=0) + BACKGROUND_E
        counts = rng.poisson(mean.numpy()) + READ_NOISE_E * rng.normal(size=mean.shape)
        crops = counts.reshape(-1, side, side).astype(np.float32)
        said = answer(crops, np.full_like(crops, READ_NOISE_E**2))
        angles = torch.tensor(np.column_stack([said[name] for name in ("theta_deg", "phi_deg")]))
        error = apart_deg(angles, truth[:, COLUMN][:, :2].double()).numpy()
        scale = torch.tensor([photons] * 3 + [1.0, 1.0] + [photons] * len(spots.further))[:, None]
        sigma = bounds(fisher((jacobian * scale).double(), mean.double(), READ_NOISE_E**2))
        turns = turn_bounds(sigma, truth.double()).square().sum(1).sqrt().rad2deg().numpy()
        found[f"{photons:g}"] = _figures(error, turns)
    return found


def _places(space: SampleSpace, spots: CropSpots, count: int, rng: np.random.Generator) -> Float64:
    """Return rows of the truth for one photon without background."""
    drawn, offset = [space.sample(rng) for _ in range(count)], space["offset_px"]
    further = [[one[name] for name in ("z_nm", *spots.further)] for one in drawn]
    xy = rng.uniform(offset.low, offset.high, (count, 2))
    return np.array([(*place, z, 1.0, 0.0, *rest) for place, (z, *rest) in zip(xy, further, strict=True)])


def _figures(error: Float64, bound: Float64) -> dict[str, float]:
    ratio = error / bound
    fine = ratio[ratio < OUTLIER]
    figures = {
        "median_deg": np.median(error), "rmse_deg": np.sqrt(np.mean(error**2)), "bound_deg": np.median(bound),
        "over_bound": np.sqrt(np.mean(fine**2)) if len(fine) else np.nan, "outliers": np.mean(ratio >= OUTLIER),
    }  # fmt: skip
    return {name: float(f"{value:.4g}") for name, value in figures.items()}
