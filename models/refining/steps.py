"""Compiled steps of the joint fit: images of all emitters, their light in the frames, a scoring step, a verdict.

One emitter has x, y, z, and photons and background in each frame in which it is seen. Photons and background of a frame
are eliminated from its normal equations (Schur complement), so that 3 x 3 remain. Light of the others is taken from the
round before (block Jacobi). Likelihood: counts + variance is Poisson with mean mu + variance (Huang et al. 2013).
"""

from __future__ import annotations

import numpy as np

from models.refining.kernel import compiled, evaluate


LEAST_LIGHT = 1e-3
LONGEST_STEP_PX, LONGEST_STEP_Z = 0.5, 100.0
DAMPING = 1e-3


@compiled
def draw(rows, coefficients, knot, z_low, corner, position, images):  # type: ignore[no-untyped-def]
    """Write the images of `rows` and their derivatives; see `evaluate`."""
    window, side = images.shape[2], coefficients.shape[3]
    planes, lines = np.empty((2, 2, 2, side, side), np.float32), np.empty((3, 2, window, side), np.float32)
    half = window / 2
    for i in rows:
        x, y = position[i, 0] - corner[i, 1] - half, position[i, 1] - corner[i, 0] - half
        evaluate(coefficients, knot, x, y, position[i, 2] - z_low, (planes, lines), images[i])


@compiled
def shine(rows, frame, corner, photons, images, light):  # type: ignore[no-untyped-def]
    """Add the light of `rows`, each in its own frame, to (t, y, x)."""
    window, height, width = images.shape[2], light.shape[1], light.shape[2]
    for i in rows:
        top, left = corner[i]
        first, last = max(0, -left), min(window, width - left)
        for j in range(max(0, -top), min(window, height - top)):
            line, image = light[frame[i], top + j], images[i, 0, j]
            for k in range(first, last):
                line[left + k] += photons[i, 1] * image[k]


@compiled
def _others(line, own, offset, shift, photons, images, row, first, last, out):  # type: ignore[no-untyped-def]
    """Write the light of the other emitters on one row of a window: all of it less the own."""
    for k in range(first, last):
        out[k] = line[offset + k]
    window = images.shape[2]
    if 0 <= row < window:
        image = images[own, 0, row]
        for k in range(max(first, shift), min(last, window + shift)):
            out[k] -= photons[own, 1] * image[k - shift]
    for k in range(first, last):
        out[k] = max(out[k], np.float32(0))


@compiled
def _frame_sums(i, s, data, arrays, buffer, sums):  # type: ignore[no-untyped-def]
    """Add up gradient, information and misfit of emitter i in its frame s (0 before, 1 its own, 2 after)."""
    counts, variance, light = data
    frame, corner, own, crowded, photons, background, images = arrays
    window, height, width = images.shape[2], counts.shape[1], counts.shape[2]
    top, left = corner[i]
    f, k0 = frame[i] + s - 1, own[i, s]
    first, last = max(0, -left), min(window, width - left)
    n, b = np.float32(photons[i, s]), np.float32(background[i, s])
    zero = np.float32(0)
    buffer[:] = zero
    down, right = top - corner[k0, 0], corner[k0, 1] - left
    for j in range(max(0, -top), min(window, height - top)):
        d, v = counts[f, top + j], variance[top + j]
        a, ax, ay, az = images[i, 0, j], images[i, 1, j], images[i, 2, j], images[i, 3, j]
        if crowded[i, s]:
            _others(light[f, top + j], k0, left, right, photons, images, j + down, first, last, buffer)
        gx = gy = gz = gn = gb = xx = xy = xz = yy = yz = zz = zero
        xn = yn = zn = xb = yb = zb = nn = nb = bb = chi = zero
        for k in range(first, last):
            mean = n * a[k] + b + buffer[k]
            w = np.float32(1) / max(mean + v[left + k], np.float32(1e-3))
            rest = d[left + k] - mean
            r = rest * w
            px, py, pz = n * ax[k], n * ay[k], n * az[k]
            gx += r * px
            gy += r * py
            gz += r * pz
            gn += r * a[k]
            gb += r
            wx, wy, wz, wn = w * px, w * py, w * pz, w * a[k]
            xx += wx * px
            xy += wx * py
            xz += wx * pz
            yy += wy * py
            yz += wy * pz
            zz += wz * pz
            xn += wx * a[k]
            yn += wy * a[k]
            zn += wz * a[k]
            xb += wx
            yb += wy
            zb += wz
            nn += wn * a[k]
            nb += wn
            bb += w
            chi += r * rest
        row = (gx, gy, gz, gn, gb, xx, xy, xz, yy, yz, zz, xn, yn, zn, xb, yb, zb, nn, nb, bb, chi)
        for m in range(21):
            sums[m] += row[m]
        sums[21] += last - first


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
def _equations(i, data, arrays, known, work):  # type: ignore[no-untyped-def]
    """Sum up the normal equations of emitter i; returns misfit and pixels."""
    buffer, sums, normal, light = work
    own, background = arrays[2], arrays[5]
    level, weight = known
    normal[:] = 0
    chi, pixels = 0.0, 0.0
    for s in range(3):
        if own[i, s] < 0:
            continue
        sums[:] = 0
        _frame_sums(i, s, data, arrays, buffer, sums)
        prior = (weight[i, 1] * (level[i, 1] - background[i, s]), weight[i, 1])
        _eliminate(sums, prior, normal, light[s])
        chi, pixels = chi + sums[20], pixels + sums[21]
    return chi, pixels


@compiled
def step(rows, data, arrays, known, position, center, limits, moved):  # type: ignore[no-untyped-def]
    """Make one scoring step of `rows` with the prior in `known`; writes the new state into `moved`."""
    own, photons, background, images = arrays[2], arrays[4], arrays[5], arrays[6]
    work = (np.zeros(images.shape[2], np.float32), np.zeros(22), np.zeros(9), np.zeros((3, 10)))
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
    work = (np.zeros(images.shape[2], np.float32), np.zeros(22), np.zeros(9), np.zeros((3, 10)))
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
