"""Compiled steps of the joint fit: normal equations, a scoring step, a verdict.

One emitter has x, y, z, and photons and background in each frame in which it is seen. Photons and background of a frame
are eliminated from its normal equations (Schur complement), so that 3 x 3 remain. Light of the others is taken from the
round before (block Jacobi). Likelihood: counts + variance is Poisson with mean mu + variance (Huang et al. 2013).
"""

from __future__ import annotations

import numpy as np

from models.refining.kernel import compiled
from models.refining.windows import compare

LEAST_LIGHT = 1e-3
LONGEST_STEP_PX, LONGEST_STEP_Z = 0.5, 100.0
DAMPING = 1e-3


@compiled
def _sums(images, n, weight, residual, sums):  # type: ignore[no-untyped-def]
    """Add up gradient and information of x, y, z, photons, background, in the order of `_eliminate`."""
    a, ax, ay, az = images[0], images[1], images[2], images[3]
    zero = np.float32(0)
    gx = gy = gz = gn = gb = zero
    for k in range(len(a)):
        r = residual[k]
        gx += r * ax[k]
        gy += r * ay[k]
        gz += r * az[k]
        gn += r * a[k]
        gb += r
    xx = xy = xz = yy = yz = zz = zero
    for k in range(len(a)):
        wx, wy, wz = weight[k] * ax[k], weight[k] * ay[k], weight[k] * az[k]
        xx += wx * ax[k]
        xy += wx * ay[k]
        xz += wx * az[k]
        yy += wy * ay[k]
        yz += wy * az[k]
        zz += wz * az[k]
    xn = yn = zn = xb = yb = zb = nn = nb = bb = zero
    for k in range(len(a)):
        w, wn = weight[k], weight[k] * a[k]
        xn += wn * ax[k]
        yn += wn * ay[k]
        zn += wn * az[k]
        xb += w * ax[k]
        yb += w * ay[k]
        zb += w * az[k]
        nn += wn * a[k]
        nb += wn
        bb += w
    m = n * n
    row = (n * gx, n * gy, n * gz, gn, gb, m * xx, m * xy, m * xz, m * yy, m * yz, m * zz,
           n * xn, n * yn, n * zn, n * xb, n * yb, n * zb, nn, nb, bb)  # fmt: skip
    for k in range(20):
        sums[k] = row[k]


@compiled
def _eliminate(sums, prior, out, light):  # type: ignore[no-untyped-def]
    """Add the normal equations of one frame, less photons and background, to (9,); keep what gives these back."""
    nn, nb, bb = sums[17] + 1e-12, sums[18], sums[19] + prior[1]
    gn, gb = sums[3], sums[4] + prior[0]
    determinant = max(nn * bb - nb * nb, 1e-12)
    inn, inb, ibb = bb / determinant, -nb / determinant, nn / determinant
    cross = sums[11:17]  # xn yn zn xb yb zb
    m = 0
    for p in range(3):
        cn, cb = inn * cross[p] + inb * cross[3 + p], inb * cross[p] + ibb * cross[3 + p]
        out[p] += sums[p] - cn * gn - cb * gb
        for q in range(p, 3):
            out[3 + m] += sums[5 + m] - cn * cross[q] - cb * cross[3 + q]
            m += 1
        light[4 + p], light[7 + p] = cn, cb
    light[0], light[1] = inn * gn + inb * gb, inb * gn + ibb * gb
    light[2] = inn


@compiled
def _invert(a, out):  # type: ignore[no-untyped-def]
    """Invert a symmetric 3 x 3 matrix given as xx xy xz yy yz zz; returns whether it has an inverse."""
    xx, xy, xz, yy, yz, zz = a[0], a[1], a[2], a[3], a[4], a[5]
    c0, c1, c2 = yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy
    determinant = xx * c0 + xy * c1 + xz * c2
    if not determinant > 1e-12 * xx * yy * zz:
        return False
    out[0], out[1], out[2] = c0 / determinant, c1 / determinant, c2 / determinant
    out[3], out[4] = (xx * zz - xz * xz) / determinant, (xy * xz - xx * yz) / determinant
    out[5] = (xx * yy - xy * xy) / determinant
    return True


@compiled
def _workspace(images):  # type: ignore[no-untyped-def]
    """Return three buffers of a window's pixels, and space for sums, normal equations and what gives light back."""
    pixels = images.shape[2] * images.shape[3]
    buffers = (np.empty(pixels, np.float32), np.empty(pixels, np.float32), np.empty(pixels, np.float32))
    return buffers, np.zeros(20), np.zeros(9), np.zeros((3, 10))


@compiled
def _equations(i, data, arrays, known, work):  # type: ignore[no-untyped-def]
    """Sum up the normal equations of emitter i; returns misfit and pixels."""
    buffers, sums, normal, light = work
    own, photons, background, images = arrays[2], arrays[4], arrays[5], arrays[6]
    level, weight = known
    normal[:] = 0
    misfit, pixels = 0.0, 0.0
    for s in range(3):
        if own[i, s] < 0:
            continue
        more, count = compare(i, s, data, arrays, buffers)
        misfit, pixels = misfit + more, pixels + count
        _sums(images[i].reshape(4, -1), np.float32(photons[i, s]), buffers[1], buffers[2], sums)
        prior = (weight[i, 1] * (level[i, 1] - background[i, s]), weight[i, 1])
        _eliminate(sums, prior, normal, light[s])
    return misfit, pixels


@compiled
def step(rows, data, arrays, known, position, center, limits, moved):  # type: ignore[no-untyped-def]
    """Make one scoring step of `rows` with the prior in `known`; writes the new state into `moved`."""
    own, photons, background, images = arrays[2], arrays[4], arrays[5], arrays[6]
    work = _workspace(images)
    normal, light = work[2], work[3]
    inverse, delta = np.zeros(6), np.zeros(3)
    mean, precision = center
    at = ((0, 1, 2), (1, 3, 4), (2, 4, 5))
    for i in rows:
        _equations(i, data, arrays, known, work)
        for p in range(3):
            normal[p] += precision[i, p] * (mean[i, p] - position[i, p])
            normal[3 + at[p][p]] = (normal[3 + at[p][p]] + precision[i, p]) * (1 + DAMPING) + 1e-12
        if not _invert(normal[3:], inverse):
            continue
        for p in range(3):
            most = LONGEST_STEP_Z if p == 2 else LONGEST_STEP_PX
            total = inverse[at[p][0]] * normal[0] + inverse[at[p][1]] * normal[1] + inverse[at[p][2]] * normal[2]
            delta[p] = min(max(total, -most), most)
            moved[i, p] = min(max(position[i, p] + delta[p], limits[i, p, 0]), limits[i, p, 1])
        for s in range(3):
            if own[i, s] < 0:
                continue
            dn = light[s, 0] - light[s, 4] * delta[0] - light[s, 5] * delta[1] - light[s, 6] * delta[2]
            db = light[s, 1] - light[s, 7] * delta[0] - light[s, 8] * delta[1] - light[s, 9] * delta[2]
            moved[i, 3 + s] = max(photons[i, s] + dn, 0.3 * photons[i, s] + LEAST_LIGHT)
            moved[i, 6 + s] = max(background[i, s] + db, 0.3 * background[i, s] + LEAST_LIGHT)


@compiled
def judge(rows, data, arrays, known, out):  # type: ignore[no-untyped-def]
    """Write the variances of x, y, z and photons without priors, chi-square and the degrees of freedom, (n, 6)."""
    own, images = arrays[2], arrays[6]
    work = _workspace(images)
    normal, light, inverse = work[2], work[3], np.zeros(6)
    for i in rows:
        chi, pixels = _equations(i, data, arrays, known, work)
        free = 3.0
        for s in range(3):
            free += 2.0 * (own[i, s] >= 0)
        out[i, 4], out[i, 5] = chi, max(pixels - free, 1.0)
        if not _invert(normal[3:], inverse):
            out[i, :4] = np.inf
            continue
        out[i, 0], out[i, 1], out[i, 2] = inverse[0], inverse[3], inverse[5]
        a, b, c = light[1, 4], light[1, 5], light[1, 6]
        spread = a * a * inverse[0] + b * b * inverse[3] + c * c * inverse[5]
        spread += 2 * (a * b * inverse[1] + a * c * inverse[2] + b * c * inverse[4])
        out[i, 3] = light[1, 2] + spread
