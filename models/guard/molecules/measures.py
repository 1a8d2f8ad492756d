"""One molecule -> numbers that have mean 0 where all is as in the training: its residual, and what the network said.

| measures | what |
|---|---|
| one for each template | the residual along it in standard deviations, what position and light explain taken out |
| `noise`, `noise_bright` | squared residuals less 1, where the light is the background's, where it is the molecule's |
| `pull_x` ... `pull_photons`, `pull_background` | network less fit, over what the network states |
| `spread_lateral`, `spread_axial` | squares of these pulls, less 1 |
| `sure_lateral`, `sure_axial`, `sure_photons` | logarithm of the stated uncertainty over the Cramer-Rao bound |
| `novelty` | logarithm of the feature distance, where the model has it |
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.guard.molecules.templates import Templates
from models.localizations import Localizations
from models.refining.candidates import Fitted, Options
from models.refining.joint import fit, window_corners
from models.refining.neighbours import same_frame_distance
from models.refining.refine import Optics, candidates_of, xy_px
from models.refining.spline import EXTRA, SplineSpot
from models.refining.windows import draw

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
ALONE = 0.6
"""Another localization is at least so many windows away."""
OTHERS = (
    "noise", "noise_bright", "pull_x", "pull_y", "pull_z", "pull_photons", "pull_background", "spread_lateral",
    "spread_axial", "sure_lateral", "sure_axial", "sure_photons", "novelty",
)  # fmt: skip
CONDITIONS = ("log_photons", "log_background", "z", "log_density", "multiplied")
OWN = 7
"""Position, light, background and its slopes are each molecule's own: they say of nothing that it is wrong."""
OPTIONS = Options(frames=False, neighbours=False)


@dataclass(frozen=True, slots=True)
class Seen:
    """Molecules that were looked at.

    Parameters
    ----------
    measures : (n, m) float64
        One for each template, then `OTHERS`; not a number where something could not be computed.
    conditions : (n, 5) float64
        `CONDITIONS`: logarithms of counts, counts per pixel and localizations per um2 in the frame; z or width as
        a part of its range; 1 behind an EM register.
    score : (n, k) float64
        Gradient of the log-likelihood by each template's amount.
    information : (n, k, k) float64
        Fisher information of these amounts.
    residual : (n, pixels) float32
        Of a window's pixels in standard deviations, what the molecule's own position, light and background explain
        taken out.
    light, deviation : (n, pixels) float64
        Counts that are expected of the molecule alone; standard deviation of a pixel's counts.
    off_px : (n, 2) float64
        x and y of the molecule from the middle of its window.
    """

    measures: Float64
    conditions: Float64
    score: Float64
    information: Float64
    residual: Float32
    light: Float64
    deviation: Float64
    off_px: Float64


def alone(table: Localizations, frame: NDArray[np.int64], shape: tuple[int, int], spot: SplineSpot) -> NDArray[np.intp]:
    """Return the rows whose windows lie in the frame, with no other localization near."""
    place = xy_px(table, spot.pixel_size_nm)
    corner = window_corners(place, spot.window_px)
    inside = ((corner >= 0) & (corner + spot.window_px <= shape)).all(1)
    return np.flatnonzero(inside & (same_frame_distance(frame, place) > ALONE * spot.window_px))


def look(
    counts: Float32, frame: NDArray[np.int64], table: Localizations, rows: NDArray[np.intp], optics: Optics,
    templates: Templates,
) -> Seen:  # fmt: skip
    """Fit some molecules again, each in its own frame, and compare them with what they should look like.

    Parameters
    ----------
    counts : (t, y, x) float32
        Photo-electrons / F**2.
    frame : (n,) int64
        Frame of each row as an index into `counts`.
    table : Localizations
        All that was found in these frames, with uncertainties.
    rows : (r,) int
        Those to look at, as `alone` finds them.
    optics : Optics
    templates : Templates
        On the knots of the optics' spot.
    """
    spot, camera = optics.spot, optics.camera
    chosen = table.where(rows)
    candidates = candidates_of(chosen, frame[rows], optics)
    noise = np.broadcast_to(camera.variance_e2 / camera.excess**2, counts.shape[1:])
    variance = np.ascontiguousarray(noise, np.float32)
    fitted = fit(counts, variance, spot, candidates, np.ones(len(rows), bool), OPTIONS)
    corner = window_corners(candidates.position[:, :2], spot.window_px)
    data, read = (
        _cut(counts, frame[rows], corner, spot.window_px),
        _cut(variance[None], 0 * rows, corner, spot.window_px),
    )
    images, along = _drawn(spot, templates, fitted.position, corner)
    deviation = _deviation(images, read, fitted)
    residual, score, information = _scores(data, deviation, images, along, fitted)
    density = np.log(np.bincount(frame, minlength=len(counts))[frame[rows]] / _area_um2(counts, spot))
    conditions = np.column_stack((
        np.log(np.maximum(fitted.photons, 1)), np.log(np.maximum(fitted.background, 0.1)), _third(fitted, spot),
        density, np.full(len(rows), float(camera.excess > 1)),
    ))  # fmt: skip
    along_each = score / np.sqrt(np.maximum(np.einsum("nkk->nk", information), 1e-12))
    noises = _noises(residual, images[:, 0], read, fitted)
    said = _said(chosen, fitted, optics)
    measures = np.column_stack((along_each, noises, said))
    light = fitted.photons[:, None] * images[:, 0]
    off_px = fitted.position[:, :2] - corner[:, ::-1] - spot.window_px / 2
    return Seen(measures, conditions, score, information, residual, light, deviation, off_px)


def _third(fitted: Fitted, spot: SplineSpot) -> Float64:
    """Return z, or the width, as a part of its range."""
    low, high = spot.z_nm
    return (fitted.position[:, 2] - low) / (high - low)


def _area_um2(counts: Float32, spot: SplineSpot) -> float:
    return float(counts.shape[1] * counts.shape[2] * (spot.pixel_size_nm / 1000) ** 2)


def _cut(frames: Float32, frame: NDArray[np.int64], corner: NDArray[np.int64], window_px: int) -> Float32:
    """Return the windows (n, y, x) whose first pixels are `corner`, (n, 2)."""
    reach = np.arange(window_px)
    y, x = corner[:, 0, None] + reach, corner[:, 1, None] + reach
    return np.asarray(frames[frame[:, None, None], y[:, :, None], x[:, None]], np.float32)


def _drawn(
    spot: SplineSpot, templates: Templates, position: Float64, corner: NDArray[np.int64]
) -> tuple[Float32, Float32]:
    """Return images and their slopes by x, y, z, (n, 4, pixels), and the templates, (n, k, pixels)."""
    n, window = len(position), spot.window_px
    rows, space = np.arange(n), np.zeros((n, 4, window, window + EXTRA), np.float32)
    drawn: list[Float32] = []
    for coefficients in (spot.coefficients, *templates.coefficients):
        draw(rows, coefficients, spot.knot_nm, spot.z_nm[0], corner, position, space)
        drawn.append(space[..., :window].reshape(n, 4, window**2).copy())
    return drawn[0], np.stack([derivative[:, 0] for derivative in drawn[1:]], axis=1)


def _deviation(images: Float32, read: Float32, fitted: Fitted) -> Float64:
    """Return the standard deviations of the pixels' counts, (n, pixels)."""
    mean = fitted.photons[:, None] * images[:, 0] + fitted.background[:, None]
    return np.asarray(np.sqrt(np.maximum(mean, 1e-3) + read.reshape(mean.shape)), np.float64)


def _scores(
    data: Float32, deviation: Float64, images: Float32, along: Float32, fitted: Fitted
) -> tuple[Float32, Float64, Float64]:
    """Return residuals in standard deviations, scores and informations, position and light eliminated."""
    n, pixels = deviation.shape
    photons, background = fitted.photons[:, None], fitted.background[:, None]
    residual = (data.reshape(n, pixels) - photons * images[:, 0] - background) / deviation
    flat = np.broadcast_to(_planes(data.shape[1]), (n, 3, pixels))
    own = np.concatenate((photons[:, None] * images[:, 1:], images[:, :1], flat), axis=1)
    both = np.concatenate((own, photons[:, None] * along), axis=1) / deviation[:, None]
    information, gradient = both @ both.transpose(0, 2, 1), (both @ residual[:, :, None])[:, :, 0]
    within = information[:, :OWN, :OWN] + 1e-9 * np.eye(OWN)
    joint = np.concatenate((information[:, :OWN, OWN:], gradient[:, :OWN, None]), axis=2)
    solved = np.linalg.solve(within, joint)
    across = information[:, OWN:, :OWN]
    score = gradient[:, OWN:] - (across @ solved[:, :, -1:])[:, :, 0]
    rest = residual - (solved[:, :, -1][:, None] @ both[:, :OWN])[:, 0]
    return rest.astype(np.float32), score, information[:, OWN:, OWN:] - across @ solved[:, :, :-1]


def _planes(window_px: int) -> Float64:
    """Return a constant, a slope in x and one in y, (3, pixels)."""
    along = np.linspace(-1, 1, window_px)
    y, x = np.meshgrid(along, along, indexing="ij")
    return np.stack((np.ones_like(x), x, y)).reshape(3, -1)


def _noises(residual: Float32, image: Float32, read: Float32, fitted: Fitted) -> Float64:
    """Return squared residuals less 1, where the light is the background's and where it is the molecule's, (n, 2)."""
    light = fitted.photons[:, None] * image
    share = np.clip(light / (light + fitted.background[:, None] + read.reshape(len(read), -1)), 0, 1)
    surplus = residual**2 - 1
    parts = [
        (weight * surplus).sum(1) / np.sqrt(2 * np.maximum((weight**2).sum(1), 1e-9)) for weight in (1 - share, share)
    ]
    return np.column_stack(parts)


def _said(table: Localizations, fitted: Fitted, optics: Optics) -> Float64:
    """Return what the network said of the molecules, beside the fit, (n, 11)."""
    candidates = candidates_of(table, np.zeros(len(table), np.int64), optics)
    column = {name: np.asarray(table[name], np.float64) for name in table}
    axes = 3 if optics.width_nm is None else 2
    unknown = np.full(len(table), np.nan)
    pull = (candidates.position - fitted.position) / candidates.sigma
    stated = np.log(candidates.sigma / fitted.sigma)
    stated_photons = column["sigma_photons"] / np.maximum(column["photons"], 1e-9)
    light = np.log(np.maximum(candidates.photons, 1) / np.maximum(fitted.photons, 1)) / stated_photons
    under = np.log((candidates.background + 1) / (np.maximum(fitted.background, 0) + 1))
    sure = np.log(stated_photons * np.maximum(fitted.photons, 1) / fitted.sigma_photons)
    novelty = np.log(np.maximum(column["novelty"], 1e-6)) if "novelty" in column else unknown
    in_depth = axes == 3
    return np.column_stack((
        pull[:, :2], pull[:, 2] if in_depth else unknown, light, under, (pull[:, :2] ** 2).mean(1) - 1,
        pull[:, 2] ** 2 - 1 if in_depth else unknown, stated[:, :2].mean(1), stated[:, 2] if in_depth else unknown,
        sure, novelty,
    ))  # fmt: skip
