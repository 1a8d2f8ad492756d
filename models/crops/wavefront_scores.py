"""How well crops tell the pupil behind all of them: root mean square wavefront errors, one crop and pooled.

The bound is that of somebody who knows how aberrations are drawn and nothing of place and light: the information of a
crop about the modes, what place and light take of it removed, summed over crops, and the precision of the prior.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from models.crops.bounds import expected_counts
from models.crops.pooled import Pool
from models.crops.scoring import BACKGROUND_E, READ_NOISE_E, Answer, Float64
from models.crops.space import SHIFT, mode_name, prior_sigma
from models.crops.spots import CropSpots
from models.optics.crlb import fisher
from models.sample_space import SampleSpace

PHOTONS = (500.0, 1000.0, 2000.0, 5000.0, 10_000.0)
POOLS = (1, 10, 100, 1000)
SEED, AT_ONCE, NUISANCES = 85_000, 64, 5
BOUNDED = 12
"""Crops of each pupil whose information stands for that of all."""


def wavefront_scores(
    answer: Answer, spots: CropSpots, space: SampleSpace, pupils: int, count: int
) -> tuple[dict[str, dict[str, dict[str, float]]], Float64]:  # fmt: skip
    """Return errors and bounds in waves by photons and crops pooled; and errors (modes,) of the largest pools.

    Parameters
    ----------
    answer : Answer
        With the modes and their uncertainties.
    spots : CropSpots
        In two planes.
    space : SampleSpace
        Of the training.
    pupils, count : int
        Pupils, and crops behind each.
    """
    rng, names = np.random.default_rng(SEED), [mode_name(j) for j in spots.modes]
    errors: dict[tuple[float, int], list[Float64]] = {}
    bounds: dict[tuple[float, int], list[float]] = {}
    for _ in range(pupils):
        waves = np.array([space[name].sample(rng) for name in names])
        truth = torch.tensor(_places(space, waves, count, rng), dtype=torch.float32)
        shares = _shares(spots, truth)
        jacobian = expected_counts(spots, truth[:BOUNDED], of_further=True)[1].double()
        for photons in PHOTONS:
            said = _said(answer, shares, photons, rng)
            mean, sigma = (np.column_stack([said[before + name] for name in names]) for before in ("", "sigma_"))
            told = _told(jacobian, shares[:BOUNDED].double().flatten(1), photons)
            for size in (size for size in POOLS if size <= count):
                at = (photons, size)
                errors.setdefault(at, []).extend(_pooled(mean, sigma, space, size) - waves)
                bounds.setdefault(at, []).append(_bound(told, prior_sigma(space), size))
    found: dict[str, dict[str, dict[str, float]]] = {f"{photons:g}": {} for photons in PHOTONS}
    for (photons, size), several in errors.items():
        rms, bound = (_rms(values) for values in (np.linalg.norm(several, axis=1), bounds[photons, size]))
        found[f"{photons:g}"][f"{size}"] = {"rms_waves": float(f"{rms:.4g}"), "bound_waves": float(f"{bound:.4g}")}
    largest = [np.square(several) for (_, size), several in errors.items() if size == max(s for _, s in errors)]
    return found, np.sqrt(np.concatenate(largest).mean(axis=0))


def _places(space: SampleSpace, waves: Float64, count: int, rng: np.random.Generator) -> Float64:
    """Return rows of the truth for one photon without background, behind one pupil."""
    offset, z, shift = space["offset_px"], space["z_nm"], space[SHIFT[0]]
    place = (rng.uniform(offset.low, offset.high, (count, 2)), rng.uniform(z.low, z.high, count))
    shifts = rng.uniform(shift.low, shift.high, (count, len(SHIFT)))
    return np.column_stack((*place, np.ones(count), np.zeros(count), np.tile(waves, (count, 1)), shifts))


def _shares(spots: CropSpots, truth: Tensor) -> Tensor:
    place = torch.cat((truth[:, :2] * spots.pixel_size_nm, truth[:, 2:3]), dim=1)
    parts = zip(torch.split(place, AT_ONCE), torch.split(truth[:, NUISANCES:], AT_ONCE), strict=True)
    return torch.cat([spots.light(*part) for part in parts]).clamp(min=0)


def _said(answer: Answer, shares: Tensor, photons: float, rng: np.random.Generator) -> dict[str, Float64]:
    mean = photons * shares.numpy() + BACKGROUND_E
    crops = (rng.poisson(mean) + READ_NOISE_E * rng.normal(size=mean.shape)).astype(np.float32)
    return dict(answer(crops, np.full_like(crops, READ_NOISE_E**2)))


def _pooled(mean: Float64, sigma: Float64, space: SampleSpace, size: int) -> Float64:
    """Return what all whole pools of so many crops say, (pools, modes)."""
    found = []
    for at in range(0, len(mean) - size + 1, size):
        pool = Pool(prior_sigma(space))
        pool.add(mean[at : at + size], sigma[at : at + size])
        found.append(pool.result()[0])
    return np.array(found)


def _told(jacobian: Tensor, share: Tensor, photons: float) -> Float64:
    """Return what each crop tells of the modes, (n, modes, modes), whatever its place and light."""
    scale = torch.full((jacobian.shape[1], 1), photons, dtype=jacobian.dtype)
    scale[3:NUISANCES] = 1
    all_ = fisher(jacobian * scale, photons * share + BACKGROUND_E, READ_NOISE_E**2)
    modes, rest = slice(NUISANCES, None), slice(NUISANCES)
    taken = all_[:, modes, rest] @ torch.linalg.pinv(all_[:, rest, rest]) @ all_[:, rest, modes]
    return np.asarray((all_[:, modes, modes] - taken).numpy(), np.float64)


def _bound(told: Float64, prior: Float64, size: int) -> float:
    """Return the root mean square error of so many crops; one crop is each of them in turn."""
    information = told if size == 1 else size * told.mean(axis=0, keepdims=True)
    variances = np.linalg.inv(information + np.diag(1 / prior**2))
    return float(np.sqrt(np.trace(variances, axis1=1, axis2=2).mean()))


def _rms(values: Float64 | list[float]) -> float:
    return float(np.sqrt(np.mean(np.square(values))))
