"""Where the emitters of a simulated sample sit: x, y inside a field, z within a depth around the focal plane; nm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.float64]
Maker = Callable[[int, "Field", np.random.Generator], Positions]


@dataclass(frozen=True, slots=True)
class Field:
    """The space that a sample fills.

    Parameters
    ----------
    width_nm, height_nm : float
        x and y from 0 to these.
    depth_nm : float
        z from -depth / 2 to depth / 2; 0 for a sample in focus.
    """

    width_nm: float
    height_nm: float
    depth_nm: float = 0.0

    @property
    def xy_nm(self) -> tuple[float, float]:
        """Width and height."""
        return self.width_nm, self.height_nm


def uniform(count: int, field: Field, rng: np.random.Generator) -> Positions:
    """Scatter emitters at random over the field."""
    return _with_z(rng.uniform((0, 0), field.xy_nm, (count, 2)), _flat(count, field, rng))


def filaments(count: int, field: Field, rng: np.random.Generator) -> Positions:
    """Lay emitters along smooth random curves, 25 nm wide, as in stained microtubules; each rises or falls."""
    curves = max(3, round(field.width_nm * field.height_nm / 6e7))
    t = np.linspace(-0.1, 1.1, 2000)
    paths, heights = [], []
    for _ in range(curves):
        angle, bend, offset = rng.uniform(0, np.pi), rng.normal(0, 0.25, 3), rng.uniform(-0.45, 0.45)
        along = (t - 0.5) * 1.3
        across = offset + sum(b * np.sin(np.pi * (k + 1) * t) / (k + 1) for k, b in enumerate(bend)) / 2
        x, y = (along * np.cos(angle) - across * np.sin(angle)), (along * np.sin(angle) + across * np.cos(angle))
        paths.append(np.stack(((x + 0.5) * field.width_nm, (y + 0.5) * field.height_nm), 1))
        heights.append(_slope(t, field, rng))
    points, z = np.concatenate(paths), np.concatenate(heights)
    inside = ((points > 0) & (points < field.xy_nm)).all(1)
    chosen = rng.integers(0, int(inside.sum()), count)
    across = points[inside][chosen] + rng.normal(0, 10, (count, 2))
    return _with_z(np.clip(across, 0, field.xy_nm), _within(z[inside][chosen], field, rng))


def rings(count: int, field: Field, rng: np.random.Generator) -> Positions:
    """Place emitters on rings of eight corners, 107 nm across, as in nuclear pores (Thevathasan et al. 2019).

    In depth each pore has two rings 50 nm apart.
    """
    pores = max(1, count // 32)
    centers = rng.uniform((200, 200), (field.width_nm - 200, field.height_nm - 200), (pores, 2))
    which = rng.integers(0, pores, count)
    corner = rng.integers(0, 8, count) * np.pi / 4 + rng.uniform(0, np.pi, pores)[which]
    ring = 53.5 * np.stack((np.cos(corner), np.sin(corner)), 1)
    lateral = centers[which] + ring + rng.normal(0, 5, (count, 2))
    if not field.depth_nm:
        return _with_z(lateral, np.zeros(count))
    z = _flat(pores, field, rng)[which] + rng.choice([-25.0, 25.0], count)
    return _with_z(lateral, np.clip(z, -field.depth_nm / 2, field.depth_nm / 2))


def lines(count: int, field: Field, rng: np.random.Generator) -> Positions:
    """Lay emitters on pairs of crossing lines: their distance at each height is known; one rises, the other falls."""
    u = rng.uniform(0.05, 0.95, count)
    side = rng.integers(0, 2, count) * 2 - 1
    x = field.width_nm * (0.5 + side * 0.2 * (u - 0.5))
    lateral = np.stack((x, u * field.height_nm), 1) + rng.normal(0, 5, (count, 2))
    return _with_z(lateral, side * (u - 0.5) * field.depth_nm)


STRUCTURES: dict[str, Maker] = {"filaments": filaments, "rings": rings, "lines": lines, "uniform": uniform}


def _with_z(lateral: Positions, z: Positions) -> Positions:
    return np.column_stack((lateral, z))


def _flat(count: int, field: Field, rng: np.random.Generator) -> Positions:
    """Return z spread evenly over the depth; draws nothing where there is none."""
    half = field.depth_nm / 2
    return rng.uniform(-half, half, count) if half else np.zeros(count)


def _slope(t: Positions, field: Field, rng: np.random.Generator) -> Positions:
    if not field.depth_nm:
        return np.zeros(len(t))
    low, high = rng.uniform(-0.45, 0.45, 2) * field.depth_nm
    return np.asarray(low + (high - low) * t)


def _within(z: Positions, field: Field, rng: np.random.Generator) -> Positions:
    if not field.depth_nm:
        return z
    return np.clip(z + rng.normal(0, 10, len(z)), -field.depth_nm / 2, field.depth_nm / 2)
