"""The light of spots that stay where they are, from frame to frame: linear filters over the pixels around each.

Positions do not change, so the least-squares estimate of a spot's light is a fixed sum over its window's pixels. The
fit has the spot, a plane of background, and the spots around it, so neither the background's level and slope nor a
neighbour's light is in the estimate, whatever they do: it is unbiased, and its variance follows from the pixels'.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.spatial import cKDTree

from models.camera import Camera
from models.optics.gaussian import GaussianSpot, constant
from models.optics.spot import Spot

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
PLANE = 3
"""Columns of a design that are background."""
LEAST_LEVEL = 0.1
SIGMA_PX = (0.6, 3.0)
"""Widths among which that of the spots is looked for."""
ALONE_PX, BRIGHTEST = 8.0, 200
"""Spots that tell the width: so far from any other, at most so many."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What is summed for each spot.

    Parameters
    ----------
    pixel : (n, w * w) int64
        Places of the window's pixels in a frame that is one row after the other.
    weight : (n, w * w) float64
        Zero for pixels beyond the frame.
    """

    pixel: Int64
    weight: Float64

    def measure(self, counts: NDArray[np.floating], variance: NDArray[np.floating] | float, excess: float) -> tuple[
        Float64, Float64
    ]:  # fmt: skip
        """Return the light of each spot in each frame and its variance, (t, n) each.

        Parameters
        ----------
        counts : (t, y, x) float
            Photo-electrons.
        variance : (y, x) float, or float
            Of the read noise, photo-electrons squared.
        excess : float
            F^2 of the camera: the variance of photo-electrons over their mean.
        """
        flat = counts.reshape(len(counts), -1)
        noise = np.broadcast_to(variance, counts.shape[1:]).ravel()[self.pixel]
        light, spread = np.empty((len(counts), len(self.pixel))), np.empty((len(counts), len(self.pixel)))
        squared = self.weight**2
        of_reading = (squared * noise).sum(1)
        for row, values in enumerate(flat):
            window = values[self.pixel]
            light[row] = (self.weight * window).sum(1)
            spread[row] = excess * (squared * window).sum(1) + of_reading
        return light, np.maximum(spread, of_reading)


def filters(spot: Spot, position_nm: Float64, frame: NDArray[np.floating], camera: Camera) -> Filters:
    """Return the filters of spots.

    Parameters
    ----------
    spot : Spot
        Its window is the one that is looked at: spots that share pixels are told apart.
    position_nm : (n, 3) float
        x and y from the outer corner of the frame, z.
    frame : (y, x) float
        Photo-electrons, a mean of frames: what the pixels' noise is reckoned from.
    camera : Camera
    """
    side, shape = spot.size_px, frame.shape
    corner, images = _windows(spot, position_nm)
    rows, columns = (corner[:, k, None] + np.arange(side) for k in range(2))
    inside = ((rows >= 0) & (rows < shape[0]))[:, :, None] & ((columns >= 0) & (columns < shape[1]))[:, None, :]
    pixel = np.clip(rows, 0, shape[0] - 1)[:, :, None] * shape[1] + np.clip(columns, 0, shape[1] - 1)[:, None, :]
    spread = camera.excess * np.maximum(frame, LEAST_LEVEL) + camera.variance_e2
    trust = inside / np.ravel(spread)[pixel]
    pairs = cKDTree(corner).query_pairs(side - 1, p=np.inf, output_type="ndarray")
    near = [pairs[pairs[:, 0] == k, 1].tolist() + pairs[pairs[:, 1] == k, 0].tolist() for k in range(len(corner))]
    weight = np.zeros((len(corner), side * side))
    for number, others in enumerate(near):
        design = _design(number, others, corner, images)
        weight[number] = _filter(design, trust[number].ravel())
    return Filters(pixel.reshape(len(corner), -1), weight)


def width_nm(position_nm: Float64, frame: NDArray[np.floating], camera: Camera, pixel_size_nm: float) -> float:
    """Return the standard deviation of the Gaussian that fits spots best which stand alone.

    Parameters
    ----------
    position_nm : (n, 3) float
        The brightest spots first; n must not be 0.
    frame : (y, x) float
        Photo-electrons, a mean of frames.
    camera : Camera
    pixel_size_nm : float
    """
    xy = position_nm[:, :2] / pixel_size_nm
    distance = nearest(xy)
    alone = np.flatnonzero(distance > ALONE_PX)
    chosen = position_nm[alone if len(alone) else slice(None)][:BRIGHTEST]
    found = minimize_scalar(
        lambda sigma: _residual(gaussian(sigma * pixel_size_nm, pixel_size_nm), chosen, frame, camera),
        bounds=SIGMA_PX, method="bounded", options={"xatol": 0.01},
    )  # fmt: skip
    return float(found.x) * pixel_size_nm


def nearest(xy: Float64) -> Float64:
    """Return the distance of each place's nearest other one, (n,); infinite for one alone."""
    return np.asarray(cKDTree(xy).query(xy, k=[2])[0])[:, 0]


def gaussian(sigma_nm: float, pixel_size_nm: float) -> GaussianSpot:
    """Return a Gaussian in a window that leaves pixels without its light around it."""
    return GaussianSpot(constant(sigma_nm), pixel_size_nm, 2 * int(np.ceil(3.5 * sigma_nm / pixel_size_nm)) + 3)


def _windows(spot: Spot, position_nm: Float64) -> tuple[Int64, Float64]:
    """Return row and column of the first pixel of each window (n, 2), and the spots in them (n, w, w)."""
    pixel = np.floor(position_nm[:, :2] / spot.pixel_size_nm)
    offset = position_nm[:, :2] - (pixel + 0.5) * spot.pixel_size_nm
    images = np.asarray(spot(np.column_stack((offset, position_nm[:, 2]))), np.float64)
    return pixel[:, ::-1].astype(np.int64) - spot.size_px // 2, images


def _design(number: int, others: list[int], corner: Int64, images: Float64) -> Float64:
    """Return the columns of a fit, (w * w, 1 + 3 + neighbours): the spot, a plane, the neighbours' light."""
    side = images.shape[1]
    ramp = np.linspace(-1, 1, side)
    plane = (np.ones((side, side)), np.tile(ramp, (side, 1)), np.tile(ramp[:, None], (1, side)))
    columns = [images[number], *plane]
    for other in others:
        down, right = corner[number] - corner[other]
        shared = np.zeros((side, side))
        part = images[other, max(down, 0) : side + min(down, 0), max(right, 0) : side + min(right, 0)]
        top, left = max(-down, 0), max(-right, 0)
        shared[top : top + part.shape[0], left : left + part.shape[1]] = part
        columns.append(shared)
    return np.stack(columns, axis=-1).reshape(side * side, -1)


def _filter(design: Float64, trust: Float64) -> Float64:
    """Return the row of the weighted pseudo-inverse that gives the first coefficient, (w * w,)."""
    root = np.sqrt(trust)
    inverse = np.linalg.pinv(root[:, None] * design, rcond=1e-6)
    return np.asarray(inverse[0] * root)


def _residual(spot: Spot, position_nm: Float64, frame: NDArray[np.floating], camera: Camera) -> float:
    """Return what a fit of each spot on its own leaves of the noise-weighted pixels near them, per pixel."""
    made = filters(spot, position_nm, frame, camera)
    corner, images = _windows(spot, position_nm)
    total, count = 0.0, 0
    for number in range(len(corner)):
        inside = made.weight[number] != 0
        design = _design(number, [], corner, images)[inside]
        values = frame.ravel()[made.pixel[number]][inside]
        root = 1 / np.sqrt(np.maximum(values, 1.0))
        rest = np.linalg.lstsq(root[:, None] * design, root * values, rcond=None)[1]
        total, count = total + float(rest.sum()), count + int(inside.sum()) - 1 - PLANE
    return total / max(count, 1)
