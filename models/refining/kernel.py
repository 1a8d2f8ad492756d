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

    Rows of `out` are as long as those of the coefficients, so that all loops are long ones; what lies beyond the window
    is not part of the image.

    Parameters
    ----------
    coefficients : (z, 2, 2, side, side) float32
    knot : float
        Distance of knots in z.
    x, y : float
        Position from the centre of the window, pixels.
    z : float
        Above the lowest z.
    scratch : (2, 2, 2, side, side) and (3, 2, window, side) float32
    out : (4, window, side) float32
        Image, and its derivatives by x, y (per pixel) and z (per unit of z).
    """
    planes, rows = scratch
    at_x, at_y, at_z = EXTRA - 2 * x, EXTRA - 2 * y, z / knot
    first_x, first_y = int(np.floor(at_x)), int(np.floor(at_y))
    first_z = min(max(int(np.floor(at_z)), 0), coefficients.shape[0] - 4)
    w = np.empty((2, 4), np.float32)
    _weights(np.float32(at_z - first_z), w)
    _along_z(coefficients, first_z, w, np.float32(1 / knot), planes)
    _weights(np.float32(at_y - first_y), w)
    _along_y(planes, first_y, w, rows)
    _weights(np.float32(at_x - first_x), w)
    _along_x(rows, first_x, w, out)


@compiled
def _mix(a, b, c, d, w0, w1, w2, w3, out, length):  # type: ignore[no-untyped-def]
    """Write a weighted sum; one result at a time, because a loop that fills two is not vectorised."""
    for k in range(length):
        out[k] = w0 * a[k] + w1 * b[k] + w2 * c[k] + w3 * d[k]


@compiled
def _along_z(coefficients, first, w, scale, planes):  # type: ignore[no-untyped-def]
    flat, source = planes.reshape(2, -1), coefficients.reshape(coefficients.shape[0], -1)
    a, b, c, d = source[first], source[first + 1], source[first + 2], source[first + 3]
    _mix(a, b, c, d, w[0, 0], w[0, 1], w[0, 2], w[0, 3], flat[0], len(a))
    _mix(a, b, c, d, w[1, 0] * scale, w[1, 1] * scale, w[1, 2] * scale, w[1, 3] * scale, flat[1], len(a))


@compiled
def _along_y(planes, first, w, rows):  # type: ignore[no-untyped-def]
    """Write values, slopes by y (per pixel) and slopes by z of the rows of pixels."""
    side, length = planes.shape[4], rows.shape[2] * rows.shape[3]
    flat, out = planes.reshape(2, 2, 2, -1), rows.reshape(3, 2, -1)
    t0, t1, t2, t3 = first - 1, first, first + 1, first + 2
    o0, o1, o2, o3 = (t0 >> 1) * side, (t1 >> 1) * side, (t2 >> 1) * side, (t3 >> 1) * side
    w0, w1, w2, w3 = w[0, 0], w[0, 1], w[0, 2], w[0, 3]
    for parity in range(2):
        a, b = flat[0, t0 & 1, parity, o0:], flat[0, t1 & 1, parity, o1:]
        c, d = flat[0, t2 & 1, parity, o2:], flat[0, t3 & 1, parity, o3:]
        _mix(a, b, c, d, w0, w1, w2, w3, out[0, parity], length)
        _mix(a, b, c, d, -2 * w[1, 0], -2 * w[1, 1], -2 * w[1, 2], -2 * w[1, 3], out[1, parity], length)
        a, b = flat[1, t0 & 1, parity, o0:], flat[1, t1 & 1, parity, o1:]
        c, d = flat[1, t2 & 1, parity, o2:], flat[1, t3 & 1, parity, o3:]
        _mix(a, b, c, d, w0, w1, w2, w3, out[2, parity], length)


@compiled
def _along_x(rows, first, w, out):  # type: ignore[no-untyped-def]
    flat, images = rows.reshape(3, 2, -1), out.reshape(4, -1)
    length = images.shape[1] - EXTRA  # what follows lies beyond the window
    t0, t1, t2, t3 = first - 1, first, first + 1, first + 2
    o0, o1, o2, o3 = t0 >> 1, t1 >> 1, t2 >> 1, t3 >> 1
    for axis in range(3):
        a, b, c, d = flat[axis, t0 & 1, o0:], flat[axis, t1 & 1, o1:], flat[axis, t2 & 1, o2:], flat[axis, t3 & 1, o3:]
        into = images[0] if axis == 0 else images[axis + 1]
        _mix(a, b, c, d, w[0, 0], w[0, 1], w[0, 2], w[0, 3], into, length)
        if axis == 0:
            _mix(a, b, c, d, -2 * w[1, 0], -2 * w[1, 1], -2 * w[1, 2], -2 * w[1, 3], images[1], length)
