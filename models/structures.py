"""Where the emitters of a simulated sample sit: positions (n, 2) in nm, x and y, inside a field."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.float64]
Maker = Callable[[int, float, float, np.random.Generator], Positions]


def uniform(count: int, width_nm: float, height_nm: float, rng: np.random.Generator) -> Positions:
    """Scatter emitters at random over the field."""
    return rng.uniform((0, 0), (width_nm, height_nm), (count, 2))


def filaments(count: int, width_nm: float, height_nm: float, rng: np.random.Generator) -> Positions:
    """Lay emitters along smooth random curves, 25 nm wide, as in stained microtubules."""
    curves = max(3, round(width_nm * height_nm / 6e7))
    t = np.linspace(-0.1, 1.1, 2000)
    paths = []
    for _ in range(curves):
        angle, bend, offset = rng.uniform(0, np.pi), rng.normal(0, 0.25, 3), rng.uniform(-0.45, 0.45)
        along = (t - 0.5) * 1.3
        across = offset + sum(b * np.sin(np.pi * (k + 1) * t) / (k + 1) for k, b in enumerate(bend)) / 2
        x, y = (along * np.cos(angle) - across * np.sin(angle)), (along * np.sin(angle) + across * np.cos(angle))
        paths.append(np.stack(((x + 0.5) * width_nm, (y + 0.5) * height_nm), 1))
    points = np.concatenate(paths)
    points = points[((points > 0) & (points < (width_nm, height_nm))).all(1)]
    chosen = points[rng.integers(0, len(points), count)] + rng.normal(0, 10, (count, 2))
    return np.asarray(np.clip(chosen, 0, (width_nm, height_nm)))


def rings(count: int, width_nm: float, height_nm: float, rng: np.random.Generator) -> Positions:
    """Place emitters on rings of eight corners, 107 nm across, as in nuclear pores (Thevathasan et al. 2019)."""
    pores = max(1, count // 32)
    centers = rng.uniform((200, 200), (width_nm - 200, height_nm - 200), (pores, 2))
    which = rng.integers(0, pores, count)
    corner = rng.integers(0, 8, count) * np.pi / 4 + rng.uniform(0, np.pi, pores)[which]
    ring = 53.5 * np.stack((np.cos(corner), np.sin(corner)), 1)
    return np.asarray(centers[which] + ring + rng.normal(0, 5, (count, 2)))


def lines(count: int, width_nm: float, height_nm: float, rng: np.random.Generator) -> Positions:
    """Lay emitters on pairs of crossing lines: their distance at each height is known."""
    u = rng.uniform(0.05, 0.95, count)
    side = rng.integers(0, 2, count) * 2 - 1
    x = width_nm * (0.5 + side * 0.2 * (u - 0.5))
    return np.asarray(np.stack((x, u * height_nm), 1) + rng.normal(0, 5, (count, 2)))


STRUCTURES: dict[str, Maker] = {"filaments": filaments, "rings": rings, "lines": lines, "uniform": uniform}
