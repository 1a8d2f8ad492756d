"""Compiled evaluation of a spline spot: the image of one emitter and its derivatives, axis after axis."""

from __future__ import annotations

import numpy as np
from numba import njit

from models.refining.spline import EXTRA

compiled = njit(cache=True, fastmath=True, nogil=True, error_model="numpy")


@compiled
def _weights(t, out):  # type: ignore[no-untyped-def]
    """Write the four cubic B-spline weights at t from 0 to 1, and their slopes, into (2, 4)."""
    rest = 1 - t
    out[0, 0] = rest * rest * rest / 6
    out[0, 1] = (3 * t * t * t - 6 * t * t + 4) / 6
    out[0, 2] = (3 * rest * rest * rest - 6 * rest * rest + 4) / 6
    out[0, 3] = t * t * t / 6
    out[1, 0] = -rest * rest / 2
    out[1, 1] = (3 * t * t - 4 * t) / 2
    out[1, 2] = -(3 * rest * rest - 4 * rest) / 2
    out[1, 3] = t * t / 2


@compiled
def evaluate(coefficients, knot, x, y, z, scratch, out):  # type: ignore[no-untyped-def]
    """Write the image and its derivatives into `out`.

    Parameters
    ----------
    coefficients : (z, 2, 2, y, x) float32
    knot : float
        Distance of knots in z.
    x, y : float
        Position from the centre of the window, pixels.
    z : float
        Above the lowest z.
    scratch : (2, 2, 2, side, side) and (3, 2, window, side) float32
    out : (4, window, window) float32
        Image, and its derivatives by x, y (per pixel) and z (per unit of z).
    """
    planes, rows = scratch
    window, side = out.shape[1], planes.shape[4]
    at_x, at_y, at_z = EXTRA - 2 * x, EXTRA - 2 * y, z / knot
    first_x, first_y = int(np.floor(at_x)), int(np.floor(at_y))
    first_z = min(max(int(np.floor(at_z)), 0), coefficients.shape[0] - 4)
    wx, wy, wz = np.empty((2, 4), np.float32), np.empty((2, 4), np.float32), np.empty((2, 4), np.float32)
    _weights(np.float32(at_x - first_x), wx)
    _weights(np.float32(at_y - first_y), wy)
    _weights(np.float32(at_z - first_z), wz)
    _along_z(coefficients, first_z, wz, np.float32(1 / knot), planes)
    _along_y(planes, first_y, wy, window, side, rows)
    _along_x(rows, first_x, wx, window, out)


@compiled
def _along_z(coefficients, first, w, scale, planes):  # type: ignore[no-untyped-def]
    flat = planes.reshape(2, -1)
    source = coefficients.reshape(coefficients.shape[0], -1)
    w0, w1, w2, w3 = w[0, 0], w[0, 1], w[0, 2], w[0, 3]
    s0, s1, s2, s3 = w[1, 0] * scale, w[1, 1] * scale, w[1, 2] * scale, w[1, 3] * scale
    a, b, c, d = source[first], source[first + 1], source[first + 2], source[first + 3]
    value, slope = flat[0], flat[1]
    for k in range(len(value)):
        value[k] = w0 * a[k] + w1 * b[k] + w2 * c[k] + w3 * d[k]
        slope[k] = s0 * a[k] + s1 * b[k] + s2 * c[k] + s3 * d[k]


@compiled
def _along_y(planes, first, w, window, side, rows):  # type: ignore[no-untyped-def]
    """Write values, slopes by y (per pixel) and slopes by z of each row of pixels."""
    t0, t1, t2, t3 = first - 1, first, first + 1, first + 2
    w0, w1, w2, w3 = w[0, 0], w[0, 1], w[0, 2], w[0, 3]
    s0, s1, s2, s3 = -2 * w[1, 0], -2 * w[1, 1], -2 * w[1, 2], -2 * w[1, 3]
    for parity in range(2):
        for j in range(window):
            a, b = planes[0, t0 & 1, parity, j + (t0 >> 1)], planes[0, t1 & 1, parity, j + (t1 >> 1)]
            c, d = planes[0, t2 & 1, parity, j + (t2 >> 1)], planes[0, t3 & 1, parity, j + (t3 >> 1)]
            e, f = planes[1, t0 & 1, parity, j + (t0 >> 1)], planes[1, t1 & 1, parity, j + (t1 >> 1)]
            g, h = planes[1, t2 & 1, parity, j + (t2 >> 1)], planes[1, t3 & 1, parity, j + (t3 >> 1)]
            value, by_y, by_z = rows[0, parity, j], rows[1, parity, j], rows[2, parity, j]
            for k in range(side):
                value[k] = w0 * a[k] + w1 * b[k] + w2 * c[k] + w3 * d[k]
                by_y[k] = s0 * a[k] + s1 * b[k] + s2 * c[k] + s3 * d[k]
                by_z[k] = w0 * e[k] + w1 * f[k] + w2 * g[k] + w3 * h[k]


@compiled
def _along_x(rows, first, w, window, out):  # type: ignore[no-untyped-def]
    t0, t1, t2, t3 = first - 1, first, first + 1, first + 2
    w0, w1, w2, w3 = w[0, 0], w[0, 1], w[0, 2], w[0, 3]
    s0, s1, s2, s3 = -2 * w[1, 0], -2 * w[1, 1], -2 * w[1, 2], -2 * w[1, 3]
    o0, o1, o2, o3 = t0 >> 1, t1 >> 1, t2 >> 1, t3 >> 1
    for j in range(window):
        a, b, c, d = rows[0, t0 & 1, j], rows[0, t1 & 1, j], rows[0, t2 & 1, j], rows[0, t3 & 1, j]
        e, f, g, h = rows[1, t0 & 1, j], rows[1, t1 & 1, j], rows[1, t2 & 1, j], rows[1, t3 & 1, j]
        p, q, r, s = rows[2, t0 & 1, j], rows[2, t1 & 1, j], rows[2, t2 & 1, j], rows[2, t3 & 1, j]
        for i in range(window):
            out[0, j, i] = w0 * a[i + o0] + w1 * b[i + o1] + w2 * c[i + o2] + w3 * d[i + o3]
            out[1, j, i] = s0 * a[i + o0] + s1 * b[i + o1] + s2 * c[i + o2] + s3 * d[i + o3]
            out[2, j, i] = w0 * e[i + o0] + w1 * f[i + o1] + w2 * g[i + o2] + w3 * h[i + o3]
            out[3, j, i] = w0 * p[i + o0] + w1 * q[i + o1] + w2 * r[i + o2] + w3 * s[i + o3]
