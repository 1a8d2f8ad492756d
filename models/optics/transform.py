"""From the pupil to camera pixels: the matrix Fourier transform and the integral over each pixel.

With a matrix instead of an FFT the pixel size is free of the pupil's grid, and an emitter is moved by any distance
exactly, by the phase of its plane waves (Soummer et al. 2007).
"""

from __future__ import annotations

import numpy as np
from array_api_compat import array_namespace

from models.optics.arrays import Array, constant_like, unit_wave

PIXEL_INTEGRAL = np.array([-17, 308, 5178, 308, -17]) / 5760
"""Integral over a pixel of a band-limited function from its values at pixel centres (fourth-order Taylor series)."""
MARGIN_PX = len(PIXEL_INTEGRAL) // 2


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


def integrate_pixels(values: Array) -> Array:
    """Integrate point samples (..., y, x) over pixels of unit area; each side loses MARGIN_PX rows and columns."""
    return _integrate_rows(_swap(_integrate_rows(_swap(values))))


def _integrate_rows(values: Array) -> Array:
    length = values.shape[-2] - 2 * MARGIN_PX
    total = float(PIXEL_INTEGRAL[0]) * values[..., :length, :]
    for k in range(1, len(PIXEL_INTEGRAL)):
        total = total + float(PIXEL_INTEGRAL[k]) * values[..., k : k + length, :]
    return total


def _swap(values: Array) -> Array:
    return array_namespace(values).matrix_transpose(values)
