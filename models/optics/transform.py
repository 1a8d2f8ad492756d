"""From the pupil to camera pixels: the matrix Fourier transform and the integral over each pixel.

With a matrix instead of an FFT the pixel size is free of the pupil's grid, and an emitter is moved by any distance
exactly, by the phase of its plane waves (Soummer et al. 2007).
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil

import numpy as np
from array_api_compat import array_namespace, device

from models.optics.arrays import Array, constant_like, unit_wave

LARGEST_BLUR_PX = 4.0
FREQUENCIES = np.linspace(0, np.pi, 401)


@lru_cache
def pixel_taps(band: float, blur_px: float = 0.0) -> tuple[float, ...]:
    """Return the filter that turns samples at pixel centres into integrals over pixels, blurred by a Gaussian.

    The best one by least squares over the frequencies that the image has, an odd number of taps whose sum is 1.

    Parameters
    ----------
    band : float
        Highest frequency of the image in rad per pixel: 4 pi NA / wavelength times the pixel.
    blur_px : float
        Standard deviation of the Gaussian.

    Raises
    ------
    ValueError
        More blur than a small window can take.
    """
    if not 0 <= blur_px <= LARGEST_BLUR_PX:
        raise ValueError(f"blur of {blur_px:g} pixels: must be from 0 to {LARGEST_BLUR_PX:g}")
    reach = 2 + ceil(3.5 * blur_px)
    k = FREQUENCIES[max(band, 0.3) >= FREQUENCIES]
    wanted = np.sinc(k / 2 / np.pi) * np.exp(-((blur_px * k) ** 2) / 2)
    cosines = 2 * (np.cos(np.outer(k, np.arange(1, reach + 1))) - 1)  # the middle tap makes the sum 1
    half, *_ = np.linalg.lstsq(cosines, wanted - 1, rcond=1e-10)
    return (*half[::-1].tolist(), float(1 - 2 * half.sum()), *half.tolist())


def plane_waves(k: Array, shift_nm: Array, samples: int, pitch_nm: float) -> Array:
    """Return exp(i k (u - shift)) for `samples` places u around 0, (n, samples, len(k)) complex.

    Parameters
    ----------
    k : (m,) float
        Lateral wave numbers, rad per nm.
    shift_nm : (n,) float
    """
    places = constant_like((np.arange(samples) - (samples - 1) / 2) * pitch_nm, k)
    return unit_wave(places[:, None] * k) * unit_wave(-shift_nm[:, None] * k)[:, None, :]


def filter_pixels(values: Array, taps: tuple[float, ...]) -> Array:
    """Apply a symmetric filter along both axes of (..., y, x); each side loses half of the taps."""
    return _swap(_filter_rows(_swap(_filter_rows(values, taps)), taps))


def spread_pixels(values: Array, taps: tuple[float, ...]) -> Array:
    """Apply the transpose of `filter_pixels` to (..., y, x); each side gains half of the taps."""
    return _swap(_spread_rows(_swap(_spread_rows(values, taps)), taps))


def _spread_rows(values: Array, taps: tuple[float, ...]) -> Array:
    xp = array_namespace(values)
    margin = xp.zeros((*values.shape[:-2], len(taps) - 1, values.shape[-1]), dtype=values.dtype, device=device(values))
    return _filter_rows(xp.concat((margin, values, margin), axis=-2), taps)


def _filter_rows(values: Array, taps: tuple[float, ...]) -> Array:
    length = values.shape[-2] - len(taps) + 1
    return sum(tap * values[..., k : k + length, :] for k, tap in enumerate(taps))


def _swap(values: Array) -> Array:
    return array_namespace(values).matrix_transpose(values)
