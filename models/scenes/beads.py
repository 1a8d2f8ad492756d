"""Bead stacks: the image of a small fluorescent ball at several positions of the stage, with the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.optics.vectorial import Aberration, VectorialSpot

Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bead:
    """A fluorescent ball.

    Parameters
    ----------
    x_nm, y_nm, z_nm : float
        Of its centre, from the middle of the window and the focal plane.
    diameter_nm : float
        0 for a point.
    photons, background : float
        Collected photons in each slice; photons per pixel.
    """

    x_nm: float = 0.0
    y_nm: float = 0.0
    z_nm: float = 0.0
    diameter_nm: float = 0.0
    photons: float = 20_000.0
    background: float = 20.0


def bead_stack(spot: VectorialSpot, bead: Bead, focus_nm: Float64, phase_rad: Float64 | None = None) -> Float64:
    """Return the expected photons (z, y, x).

    Parameters
    ----------
    spot : VectorialSpot
    bead : Bead
    focus_nm : (z,) float
        Stage position of each slice, positive towards the objective.
    phase_rad : (N, N) float or None
        Added to the pupil's phase.
    """
    offsets, weights = ball(bead.diameter_nm / 2)
    places = np.array([bead.x_nm, bead.y_nm, bead.z_nm]) + offsets
    stack = np.zeros((len(focus_nm), spot.size_px, spot.size_px))
    for place, weight in zip(places, weights, strict=True):
        phase = None if phase_rad is None else np.broadcast_to(phase_rad, (len(focus_nm), *phase_rad.shape))
        stack += weight * spot(np.repeat(place[None], len(focus_nm), 0), Aberration(focus_nm, phase))
    return bead.photons * stack + bead.background


def ball(radius_nm: float) -> tuple[Float64, Float64]:
    """Return places (n, 3) and weights (n,) whose sum is the mean over a ball, exact for polynomials of degree 5.

    Two spheres by Gauss's rule for r^2 dr, the twelve corners of an icosahedron on each (a spherical 5-design).
    """
    if radius_nm == 0:
        return np.zeros((1, 3)), np.ones(1)
    golden = (1 + np.sqrt(5)) / 2
    corners = [np.roll([0, one, other * golden], turn) for turn in range(3) for one in (-1, 1) for other in (-1, 1)]
    directions = np.array(corners) / np.hypot(1, golden)
    # Nodes s = r^2 and weights of Gauss's rule for the moments of r^2 in a unit ball: 3 / (2 k + 3).
    nodes, shares = _gauss([3 / (2 * k + 3) for k in range(4)])
    places = np.concatenate([radius_nm * np.sqrt(s) * directions for s in nodes])
    return places, np.repeat(shares / len(directions), len(directions))


def _gauss(moments: list[float]) -> tuple[Float64, Float64]:
    """Return two nodes and weights that have the four moments."""
    m = np.array(moments)
    b, c = np.linalg.solve(np.array([[m[1], m[0]], [m[2], m[1]]]), -m[2:])  # x^2 + b x + c has the nodes as roots
    nodes = np.sort(np.roots([1, b, c]).real)
    return nodes, np.linalg.solve(np.stack((np.ones(2), nodes)), m[:2])
