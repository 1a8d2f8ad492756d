"""Single emitters: errors against the Cramer-Rao bound, the stated uncertainty, and the place in the pixel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import nan

import numpy as np
from numpy.typing import NDArray

from models.evaluation.conditions import Conditions, Locate
from models.localizations import Localizations
from models.optics.crlb import spot_bounds
from models.optics.render import render

Float64 = NDArray[np.float64]
FARTHEST_NM = 250.0
"""Laterally; a localization farther away is not that of the emitter."""
OUTLIER = 5.0
"""Errors above so many bounds are told apart: they are no longer a matter of precision."""
BIAS_BINS = 5


@dataclass(frozen=True, slots=True)
class Isolated:
    """Emitters that were found; d axes as in `Conditions.axes`.

    Parameters
    ----------
    count : int
        Emitters that were there.
    truth : (n, 3) float64
        x, y, z in nm.
    error, bound : (n, d) float64
        Localization minus truth, and the Cramer-Rao bound, in nm.
    sigma : (n, d) float64
        The stated uncertainty.
    """

    count: int
    truth: Float64
    error: Float64
    bound: Float64
    sigma: Float64

    def within(self, half_depth_nm: float) -> Isolated:
        """Keep emitters near the focus."""
        keep = np.abs(self.truth[:, 2]) <= half_depth_nm
        return Isolated(self.count, self.truth[keep], self.error[keep], self.bound[keep], self.sigma[keep])


def isolated(locate: Locate, conditions: Conditions, photons: float, count: int, seed: int) -> Isolated:
    """Locate emitters that are alone and on in one frame only.

    Parameters
    ----------
    locate : Locate
    conditions : Conditions
    photons : float
        Photo-electrons of each emitter.
    count, seed : int
    """
    rng, spot, half = np.random.default_rng(seed), conditions.spot, conditions.half_depth_nm
    pixel, side = spot.pixel_size_nm, 4 * (spot.size_px // 4 + 1)
    offset = rng.uniform((-pixel / 2, -pixel / 2, -half), (pixel / 2, pixel / 2, half), (count, 3))
    middle = (side // 2 + 0.5) * pixel
    truth = offset + np.array([middle, middle, 0])
    light = np.full((count, 3, side, side), conditions.background)
    light[:, 1] += render(spot, truth, np.full(count, photons), np.arange(count), (count, side, side))
    camera = conditions.camera
    stack = camera.expose(light.reshape(-1, side, side) / camera.quantum_efficiency, rng)
    found = _nearest(locate(stack, camera), truth)
    rows, who = found
    axes = conditions.axes
    parameters = np.column_stack((offset, np.tile([photons, conditions.background], (count, 1))))
    free = (*axes, "photons", "background")
    bounds = spot_bounds(spot, parameters, camera.variance_e2, camera.excess, free)
    located = np.column_stack([np.asarray(rows[axis], np.float64) for axis in axes])
    return Isolated(
        count, truth[who], located - truth[who, : len(axes)],
        np.column_stack([bounds[axis] for axis in axes])[who],
        np.column_stack([np.asarray(rows[f"sigma_{axis}"], np.float64) for axis in axes]),
    )  # fmt: skip


def precision(found: Isolated) -> dict[str, list[float]]:
    """Return for each axis: RMSE / bound without outliers, their share, RMSE and bias in nm; nan if none was found."""
    ratio = found.error / found.bound
    return {
        "over_bound": _each(_rms_without_outliers, ratio),
        "outliers": _each(np.mean, np.abs(ratio) >= OUTLIER),
        "rmse_nm": _each(_rms, found.error),
        "bias_nm": _each(np.mean, found.error),
    }


def calibration(found: Isolated) -> dict[str, list[float]]:
    """Return for each axis: width of error / stated sigma (1 is right), and the shares within 1 and 2 sigma."""
    pull = found.error / found.sigma
    return {
        "pull": _each(_rms_without_outliers, pull),
        "within_1_sigma": _each(np.mean, np.abs(pull) < 1),  # 0.683 if right
        "within_2_sigma": _each(np.mean, np.abs(pull) < 2),  # 0.954
    }


def by_depth(found: Isolated, edges_nm: Float64) -> list[dict[str, object]]:
    """Return `precision` in slices of z."""
    z, slices = found.truth[:, 2], []
    for low, high in pairwise(edges_nm):
        keep = (z >= low) & (z < high)
        part = Isolated(found.count, found.truth[keep], found.error[keep], found.bound[keep], found.sigma[keep])
        slices.append({"z_nm": float((low + high) / 2), "found": int(keep.sum()), **precision(part)})
    return slices


def bias_map(found: Isolated, pixel_size_nm: float) -> dict[str, object]:
    """Return the mean errors (y, x) by place in the pixel, their root mean square, and what of it is chance."""
    place = np.floor(found.truth[:, :2] / pixel_size_nm % 1 * BIAS_BINS).astype(int)
    bins = (BIAS_BINS, BIAS_BINS)
    result: dict[str, object] = {}
    counts = np.maximum(_per_bin(place, np.ones(len(place)), bins), 1)
    for k, axis in enumerate(("x_nm", "y_nm")):
        mean = _per_bin(place, found.error[:, k], bins) / counts
        spread = _per_bin(place, found.error[:, k] ** 2, bins) / counts - mean**2
        result[axis] = {
            "mean_nm": np.round(mean, 2).tolist(), "rms_nm": _rms(mean),
            "rms_by_chance_nm": float(np.sqrt(np.mean(spread / counts))),
        }  # fmt: skip
    return result


def _per_bin(place: NDArray[np.int64], values: Float64, bins: tuple[int, int]) -> Float64:
    sums = np.zeros(bins)
    np.add.at(sums, (place[:, 1], place[:, 0]), values)
    return sums


def _nearest(table: Localizations, truth: Float64) -> tuple[Localizations, NDArray[np.int64]]:
    """Return the localization nearest to each emitter, and which emitters have one; they are in frames 1, 4, 7..."""
    rows = np.flatnonzero(table["frame"] % 3 == 1)
    who = np.asarray(table["frame"], np.int64)[rows] // 3
    apart = np.hypot(table["x_nm"][rows] - truth[who, 0], table["y_nm"][rows] - truth[who, 1])
    near = apart < FARTHEST_NM
    rows, who, apart = rows[near], who[near], apart[near]
    order = np.lexsort((apart, who))
    who, first = np.unique(who[order], return_index=True)
    return table.where(rows[order[first]]), who


def _each(figure: Callable[[Float64], float], values: NDArray[np.generic]) -> list[float]:
    """Return a figure of each column."""
    return [round(float(figure(column)), 4) if len(column) else nan for column in values.T]


def _rms(values: Float64) -> float:
    return float(np.sqrt(np.mean(values**2)))


def _rms_without_outliers(values: Float64) -> float:
    fine = values[np.abs(values) < OUTLIER]
    return _rms(fine) if len(fine) else nan
