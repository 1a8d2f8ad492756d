"""Outlines of simple shapes, which no network here has learned: the error map should say so.

The demonstration of Moeckl, Roy & Moerner (Biomed. Opt. Express 11, 1633, 2020; section 4).
"""

from __future__ import annotations

import numpy as np

from models.predicted.samples import FIELD
from models.scenes.structures import Positions, filaments

SHAPES = {"square": 4, "circle": 64, "rectangle": 4, "triangle": 3}
"""Corners."""
LOCALIZATIONS, OUTLINES = 20_000, 12
LEAST_NM, MOST_NM = 500, 1000
"""From the middle of a shape to its corners."""


def outlines(shape: str, rng: np.random.Generator) -> Positions:
    """Return places on outlines of a shape of `SHAPES`, (n, 2) nm."""
    angle = 2 * np.pi * np.arange(SHAPES[shape] + 1) / SHAPES[shape] + np.pi / 4
    stretch = (1.0, 0.4) if shape == "rectangle" else (1.0, 1.0)
    corners = np.stack((np.cos(angle), np.sin(angle)), 1) * stretch
    which, along = rng.integers(0, OUTLINES, LOCALIZATIONS), rng.uniform(0, SHAPES[shape], LOCALIZATIONS)
    edge, part = along.astype(int), (along % 1)[:, None]
    points = corners[edge] * (1 - part) + corners[edge + 1] * part
    centres = rng.uniform(0.8 * MOST_NM, FIELD.width_nm - 0.8 * MOST_NM, (OUTLINES, 2))
    radii_nm = rng.uniform(LEAST_NM, MOST_NM, (OUTLINES, 1))
    places: Positions = centres[which] + radii_nm[which] * points
    return places


def as_many_filaments(rng: np.random.Generator) -> Positions:
    """Return places on filaments, (n, 2) nm."""
    return filaments(LOCALIZATIONS, FIELD, rng)[:, :2]
