"""Making low-rank spots from exact ones, and measuring how good they are."""

from __future__ import annotations

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from models.optics.low_rank import LowRankSpot, Quality
from models.optics.spot import Spot

LATERAL_NODES = 6
DROPPED = 1e-5
"""Terms of the polynomials whose coefficients stay below this share of the largest are left out."""
TEST_POSITIONS = 400
SEED = 7


def low_rank(
    spot: Spot, z_range_nm: tuple[float, float], rank: int = 64, z_nodes: int = 41, reach_px: int = 2
) -> LowRankSpot:
    """Return low-rank spots of an exact one.

    Parameters
    ----------
    spot : Spot
        Its window gives up `reach_px` pixels on each side.
    z_range_nm : (float, float)
    rank : int
        Number of basis images.
    z_nodes : int
        Exact spots along z; some 15 for each micrometre.
    reach_px : int
        Whole pixels by which a spot may be off the centre of its window.
    """
    half = spot.pixel_size_nm / 2
    lateral, axial = _nodes(-half, half, LATERAL_NODES), _nodes(*z_range_nm, z_nodes)
    grid = np.stack(np.meshgrid(lateral, lateral, axial, indexing="ij"), axis=-1)
    exact = np.asarray(spot(grid.reshape(-1, 3))).reshape(len(grid) ** 2 * z_nodes, -1)
    shares, values, basis = np.linalg.svd(exact, full_matrices=False)
    rank = min(rank, len(values))
    sampled = (shares[:, :rank] * values[:rank]).reshape(*grid.shape[:3], rank)
    degrees, weights = _terms(sampled)
    side = spot.size_px
    made = LowRankSpot(
        basis[:rank].reshape(rank, side, side), weights, degrees, z_range_nm, spot.pixel_size_nm, reach_px
    )
    made.quality = measure(made, spot)
    return made


def measure(made: LowRankSpot, exact: Spot) -> Quality:
    """Compare with exact spots at random positions within the middle pixel and the z range."""
    half, rng = made.pixel_size_nm / 2, np.random.default_rng(SEED)
    low, high = zip((-half, half), (-half, half), made.z_range_nm, strict=True)
    positions = rng.uniform(low, high, (TEST_POSITIONS, 3))
    truth = np.asarray(exact(positions))
    errors = np.linalg.norm(made.sub_pixel(positions) - truth, axis=(1, 2)) / np.linalg.norm(truth, axis=(1, 2))
    return Quality(float(errors.mean()), float(errors.max()), len(positions))


def _nodes(low: float, high: float, count: int) -> NDArray[np.float64]:
    return (low + high) / 2 + (high - low) / 2 * chebyshev.chebpts1(count)


def _terms(sampled: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Turn samples (x, y, z, rank) into the degrees and coefficients of Chebyshev polynomials that matter."""
    coefficients = sampled
    for axis in range(3):
        count = sampled.shape[axis]
        inverse = np.linalg.inv(chebyshev.chebvander(chebyshev.chebpts1(count), count - 1))
        coefficients = np.moveaxis(np.tensordot(inverse, coefficients, axes=(1, axis)), 0, axis)
    size = np.abs(coefficients).max(-1)
    degrees = np.argwhere(size > DROPPED * size.max())
    return degrees, coefficients[tuple(degrees.T)]
