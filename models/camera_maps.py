"""From a photon transfer to the maps of a camera: gain, read noise, and pixels that are not to be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.photon_transfer import Transfer

FloatMap = NDArray[np.float64]
HOT_DEVIATIONS = 10.0
BAD_NOISE_FACTOR = 30.0
"""A pixel that is not to be trusted gets so many times the median read noise: it then counts for nothing."""


@dataclass(frozen=True, slots=True)
class CameraMaps:
    """Maps of a camera, all (y, x).

    Parameters
    ----------
    offset_adu : float64
    gain_e_per_adu : float64
        Electrons per count, after the EM register where there is one.
    read_noise_e : float64
        Standard deviation in electrons, after the EM register.
    hot : bool
        Pixels whose noise, offset or gain is far from that of the others; they have the median gain and much noise.
    gain_error : float64
        Relative standard error of the gain as it was measured in each pixel.
    em_gain : float
        1 for a camera without EM register.
    gain_is_a_map : bool
        False where the pixels' gains differ by no more than they were measured: all then have the median.
    """

    offset_adu: FloatMap
    gain_e_per_adu: FloatMap
    read_noise_e: FloatMap
    hot: NDArray[np.bool_]
    gain_error: FloatMap
    em_gain: float
    gain_is_a_map: bool


def camera_maps(transfer: Transfer, base_gain_e_per_adu: float | None = None) -> CameraMaps:
    """Return the maps.

    Parameters
    ----------
    transfer : Transfer
    base_gain_e_per_adu : float or None
        Electrons per count of the converter behind an EM register, from a calibration at gain 1: the slope is then
        twice the EM gain over it. None for a camera without register.
    """
    slope = transfer.slope_adu
    measured = np.isfinite(slope) & (slope > 0)
    gain = np.where(measured, 1 / np.where(measured, slope, 1.0), np.nan)
    em_gain = 1.0
    if base_gain_e_per_adu is not None:
        em_gain = float(np.median(slope[measured])) * base_gain_e_per_adu / 2
        gain = np.where(measured, base_gain_e_per_adu, np.nan)
    error = np.where(measured, transfer.slope_error_adu / np.where(measured, slope, 1.0), np.nan)
    middle = float(np.nanmedian(gain))
    known, is_map = gain, base_gain_e_per_adu is None and _spread(gain / middle) > 1.5 * float(np.nanmedian(error))
    if not is_map:
        known = np.full_like(gain, middle)
    noise_adu = np.sqrt(np.maximum(transfer.dark_variance_adu2, 1 / 12))
    hot = ~measured | _far(np.log(noise_adu)) | _far(transfer.offset_adu) | (_far(gain / middle, error) & is_map)
    trusted = np.where(hot, middle, known)
    noise_e = noise_adu * trusted
    noise_e = np.where(hot, np.maximum(noise_e, BAD_NOISE_FACTOR * np.median(noise_e)), noise_e)
    return CameraMaps(transfer.offset_adu, trusted, noise_e, hot, error, em_gain, bool(is_map))


def _spread(values: FloatMap) -> float:
    """Return the standard deviation without outliers, from the median deviation."""
    good = values[np.isfinite(values)]
    return 1.4826 * float(np.median(np.abs(good - np.median(good))))


def _far(values: FloatMap, error: FloatMap | float = 0.0) -> NDArray[np.bool_]:
    """Return which pixels lie ten spreads, or ten standard errors, from the median; none where all are alike."""
    good = np.isfinite(values)
    limit = HOT_DEVIATIONS * np.maximum(_spread(values), np.nan_to_num(np.asarray(error)))
    distance = np.abs(np.where(good, values, 0) - np.median(values[good]))
    return np.asarray(~good | (distance > np.maximum(limit, 1e-3 * np.abs(np.median(values[good])))))
