"""How good answers for crops are: errors over the Cramer-Rao bound, in slices of z and behind unknown aberrations.

Bounds are those of somebody who knows the pupil: what nobody knows of it shows as an error beyond them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import nan

import numpy as np
from numpy.typing import NDArray

from models.crops.bounds import crop_bounds
from models.crops.samples import EmitterCrops, EmitterSimulator, truth_names
from models.crops.space import without_aberrations
from models.crops.spots import CropSpots
from models.sample_space import Range, SampleSpace

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Answer = Callable[[Float32, Float32], Mapping[str, Float64]]
"""Counts and variance of the read noise (n, y, x) -> columns (n,), named as on the card; nan where there is none."""
SINGLE_PHOTONS = (1000.0, 4000.0)
BACKGROUND_E, READ_NOISE_E = 10.0, 1.5
SLICES, OUTLIER = 8, 5.0
SEED = 81_000
"""Beyond the seeds of trainings."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Crops that no training saw.

    Parameters
    ----------
    crops : EmitterCrops
    bound : dict of str to (n,) float64
        By column of the truth.
    z_nm : (float, float)
        Between which the emitters are.
    """

    crops: EmitterCrops
    bound: dict[str, Float64]
    z_nm: tuple[float, float]
    names: tuple[str, ...]

    def truth(self, name: str) -> Float64:
        """Return a column of the truth (n,)."""
        return np.asarray(self.crops.truth[:, self.names.index(name)].numpy(), np.float64)


def held_out(
    spots: CropSpots, space: SampleSpace, crop_px: int, photons: float, count: int, aberrated: bool
) -> HeldOut:  # fmt: skip
    """Return crops of one brightness on a flat background in front of an sCMOS; at random z.

    Parameters
    ----------
    spots : CropSpots
    space : SampleSpace
        Of the training.
    crop_px : int
    photons : float
        Photo-electrons of each emitter.
    count : int
    aberrated : bool
        Behind aberrations of each crop's own, as in the training; else behind the stated pupil.
    """
    fixed = {"photons": photons, "background_e": BACKGROUND_E, "read_noise_e": READ_NOISE_E}
    given = (space if aberrated else without_aberrations(space)).changed(
        **{name: Range(value, value) for name, value in fixed.items()}, em_share=0.0, hot_share=0.0
    )
    crops = EmitterSimulator(spots, given, count, crop_px).draw(SEED, int(photons))
    names, bound = truth_names(spots.further), crop_bounds(spots, crops).numpy().astype(np.float64)
    z = space["z_nm"]
    return HeldOut(crops, dict(zip(names, bound.T, strict=True)), (z.low, z.high), names)


def scores_of(answer: Answer, held: HeldOut) -> dict[str, dict[str, object]]:
    """Return for each quantity that is answered for its figures, over all z and in slices."""
    said = answer(held.crops.counts.numpy(), held.crops.variance.numpy())
    z, edges = held.truth("z_nm"), np.linspace(*held.z_nm, SLICES + 1)
    found: dict[str, dict[str, object]] = {}
    for name in (name for name in held.names if name in said):
        error, bound = np.asarray(said[name], np.float64) - held.truth(name), held.bound[name]
        row: dict[str, object] = dict(_figures(error, bound))
        if f"sigma_{name}" in said:
            row["pull"] = round(_spread(error / np.asarray(said[f"sigma_{name}"])), 3)
        row["by_z"] = [
            {"z_nm": (low + high) / 2, **_figures(error[here], bound[here])}
            for low, high in pairwise(edges.tolist())
            for here in ((z >= low) & (z < high),)
        ]
        found[name] = row
    return found


def _figures(error: Float64, bound: Float64) -> dict[str, float]:
    """Return root mean square error and bias; where there is a bound, error over it without outliers, their share."""
    answered = np.isfinite(error)
    figures = {"answered": float(answered.mean())}
    if answered.any():
        error, bound = error[answered], bound[answered]
        figures |= {"rmse": float(np.sqrt(np.mean(error**2))), "bias": float(error.mean())}
        ratio = error / bound
        if np.isfinite(bound).all() and (np.abs(ratio) < OUTLIER).any():
            figures |= {"over_bound": _spread(ratio), "outliers": float(np.mean(np.abs(ratio) >= OUTLIER))}
    return {name: float(f"{value:.4g}") for name, value in figures.items()}


def _spread(values: Float64) -> float:
    fine = values[np.abs(values) < OUTLIER]
    return float(np.sqrt(np.mean(fine**2))) if len(fine) else nan


def columns_of(names: Sequence[str], table: NDArray[np.floating]) -> dict[str, Float64]:
    """Return the columns (n,) of a table (n, columns) by name."""
    return dict(zip(names, np.asarray(table, np.float64).T, strict=True))
