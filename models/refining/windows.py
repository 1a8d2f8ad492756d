"""Compiled work on windows: images of all emitters, their light in the frames, and what is left of the counts.

The arrays that describe all emitters travel as one tuple: frame (n,), corner (n, 2) as row and column, own (n, 3) rows
of the same emitter in the frames before, its own and after or -1, crowded (n, 3), photons (n, 3), background (n, 3),
images (n, 4, window, side).
"""

from __future__ import annotations

import numpy as np

from models.refining.kernel import compiled, evaluate

NO_PIXEL = np.float32(1e20)
"""Variance of what is not part of a frame."""


@compiled
def draw(rows, coefficients, knot, z_low, corner, position, images):  # type: ignore[no-untyped-def]
    """Write the images of `rows` and their derivatives; see `evaluate`."""
    window, side = images.shape[2], images.shape[3]
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
def _light_under(i, s, light, arrays, mean):  # type: ignore[no-untyped-def]
    """Write the light of all emitters in the window of emitter i in frame s; in its own frame that is its own too."""
    frame, corner, own, _, photons, _, images = arrays
    window, side, height, width = images.shape[2], images.shape[3], light.shape[1], light.shape[2]
    top, left = corner[i]
    first, last = max(0, -left), min(window, width - left)
    for j in range(max(0, -top), min(window, height - top)):
        line, at = light[frame[i] + s - 1, top + j], j * side
        for k in range(first, last):
            mean[at + k] = line[left + k]
    k0 = own[i, s]
    if k0 == i:
        return
    down, right, n = top - corner[k0, 0], corner[k0, 1] - left, np.float32(photons[k0, 1])
    for j in range(max(0, -down), min(window, window - down)):
        image, at = images[k0, 0, j + down], j * side
        for k in range(max(first, right), min(last, window + right)):
            mean[at + k] -= n * image[k - right]


@compiled
def cut(rows, counts, variance, frame, corner, own, pixels):  # type: ignore[no-untyped-def]
    """Copy counts and variance of the windows of `rows` into (n, 3, 2, window, side), once for all rounds.

    What lies outside of the frame or beyond the window has a variance that leaves it no weight.
    """
    window, height, width = pixels.shape[3], counts.shape[1], counts.shape[2]
    for i in rows:
        top, left = corner[i]
        first, last = max(0, -left), min(window, width - left)
        for s in range(3):
            pixels[i, s, 0], pixels[i, s, 1] = 0, NO_PIXEL
            if own[i, s] < 0:
                continue
            for j in range(max(0, -top), min(window, height - top)):
                for k in range(first, last):
                    pixels[i, s, 0, j, k] = counts[frame[i] + s - 1, top + j, left + k]
                for k in range(first, last):
                    pixels[i, s, 1, j, k] = variance[top + j, left + k]


@compiled
def compare(i, s, data, arrays, work):  # type: ignore[no-untyped-def]
    """Write weight and residual of each pixel of a window in frame s; returns misfit and pixels."""
    pixels, light = data
    corner, crowded, photons, background, images = arrays[1], arrays[3], arrays[4], arrays[5], arrays[6]
    mean, weight, residual = work
    counts, variance, image = pixels[i, s, 0].reshape(-1), pixels[i, s, 1].reshape(-1), images[i, 0].reshape(-1)
    n, b = np.float32(photons[i, s]), np.float32(background[i, s])
    mean[:] = 0
    if crowded[i, s]:
        _light_under(i, s, light, arrays, mean)
        if s == 1:
            n = np.float32(0)
    for k in range(len(mean)):
        mean[k] = max(mean[k], np.float32(0)) + n * image[k] + b
    for k in range(len(mean)):
        weight[k] = np.float32(1) / max(mean[k] + variance[k], np.float32(1e-3))
    misfit = np.float32(0)
    for k in range(len(mean)):
        rest = counts[k] - mean[k]
        misfit += rest * rest * weight[k]
    for k in range(len(mean)):
        residual[k] = (counts[k] - mean[k]) * weight[k]
    window, height, width = images.shape[2], light.shape[1], light.shape[2]
    top, left = corner[i]
    inside = (min(window, height - top) - max(0, -top)) * (min(window, width - left) - max(0, -left))
    return misfit, inside
