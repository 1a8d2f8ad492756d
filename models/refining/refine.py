"""A table of localizations -> the same table, fitted by maximum likelihood where the fit is good."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.camera import Camera
from models.localizations import REFINED, Localizations
from models.refining.candidates import Candidates, Fitted, Options, nothing_fitted
from models.refining.joint import fit
from models.refining.neighbours import same_frame_distance
from models.refining.spline import SplineSpot

Mode = Literal["isolated", "all"]
SLACK, CLEAR = 0.03, 3.0
"""A fit replaces what the network said if its chi-square per degree of freedom is at most 1 + slack + so many of its
standard deviations: above that an emitter in the window was not found, or the spot is not the right one."""
Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Optics:
    """What a fit must know of the rig.

    Parameters
    ----------
    spot : SplineSpot
    camera : Camera
        Its maps cover the frames.
    width_nm : float or None
        In focus the third coordinate of the spot is its width, and this is the one to start from; None in depth.
    """

    spot: SplineSpot
    camera: Camera
    width_nm: float | None = None


def refine(
    counts: NDArray[np.float32], frame: NDArray[np.int64], table: Localizations, chosen: NDArray[np.bool_],
    optics: Optics, mode: Mode = "all", options: Options | None = None, background: NDArray[np.float32] | None = None,
) -> Localizations:  # fmt: skip
    """Fit the chosen rows; return all of them, in their order.

    Parameters
    ----------
    counts : (t, y, x) float32
        Photo-electrons / F**2.
    frame : (n,) int64
        Index into `counts` of each row's frame; frames that follow each other lie next to each other.
    table : Localizations
        With uncertainties of the position, photons and background.
    chosen : (n,) bool
        Rows that are fitted; the others only give their light.
    optics : Optics
    mode : {"isolated", "all"}
        isolated: only rows whose window holds no other one.
    options : Options
    background : (n, window, window) float32 or None
        Expected counts of the background in the window of each row, as `window_corners` places it: its shape is taken
        for granted, its level is where the fit begins. None: flat, as the table says.
    """
    spot = optics.spot
    candidates = candidates_of(table, frame, optics)
    if background is not None:
        level = background.mean(axis=(1, 2), keepdims=True)
        candidates = replace(candidates, background=level[:, 0, 0].astype(float), structure=background - level)
    fitted_rows = chosen
    if mode == "isolated":
        fitted_rows = chosen & (same_frame_distance(frame, candidates.position[:, :2]) > spot.window_px / 2)
    if not fitted_rows.any():
        return _table(table, nothing_fitted(len(table)), fitted_rows, optics)
    shape = counts.shape[1:]
    noise = np.broadcast_to(optics.camera.variance_e2 / optics.camera.excess**2, shape)
    variance = np.ascontiguousarray(noise, np.float32)
    fitted = fit(counts, variance, spot, candidates, fitted_rows, options or Options())
    return _table(table, fitted, fitted_rows, optics)


def xy_px(table: Localizations, pixel_size_nm: float) -> Float64:
    """Return x and y of the rows in pixels, (n, 2) float64."""
    return np.column_stack([np.asarray(table[name], np.float64) / pixel_size_nm for name in ("x_nm", "y_nm")])


def candidates_of(table: Localizations, frame: NDArray[np.int64], optics: Optics) -> Candidates:
    """Return the rows in the units of the fit; parameters as of `refine`."""
    pixel, excess = optics.spot.pixel_size_nm, optics.camera.excess
    column = {name: np.asarray(table[name], np.float64) for name in table}
    if optics.width_nm is None:
        third, spread = column["z_nm"], column["sigma_z_nm"]
    else:
        third = np.full(len(table), optics.width_nm)
        spread = 0.15 * third
    return Candidates(
        frame=np.ascontiguousarray(frame, np.int64),
        position=np.column_stack((xy_px(table, pixel), third)),
        sigma=np.column_stack((column["sigma_x_nm"] / pixel, column["sigma_y_nm"] / pixel, spread)),
        photons=column["photons"] * optics.camera.quantum_efficiency / excess,
        background=column["background"] / excess,
    )


def _table(table: Localizations, fitted: Fitted, tried: NDArray[np.bool_], optics: Optics) -> Localizations:
    """Put good fits in the place of the network's rows."""
    pixel, excess = optics.spot.pixel_size_nm, optics.camera.excess
    to_photons = excess / optics.camera.quantum_efficiency
    worst = 1 + SLACK + CLEAR * np.sqrt(2 / fitted.freedom)
    good = tried & (fitted.goodness <= np.minimum(worst, 1.02 * fitted.goodness_before))
    good &= np.isfinite(fitted.sigma).all(1) & np.isfinite(fitted.sigma_photons)
    x, y, third = fitted.position.T
    sigma_x, sigma_y, sigma_third = fitted.sigma.T
    new = {
        "x_nm": x * pixel, "y_nm": y * pixel, "sigma_x_nm": sigma_x * pixel, "sigma_y_nm": sigma_y * pixel,
        "photons": fitted.photons * to_photons, "sigma_photons": fitted.sigma_photons * to_photons,
        "background": fitted.background * excess,
    }  # fmt: skip
    if optics.width_nm is None:
        new |= {"z_nm": third, "sigma_z_nm": sigma_third}
    columns = {name: table[name] for name in table}
    columns |= {name: np.where(good, values, table[name]) for name, values in new.items()}
    columns["goodness"] = np.where(good, fitted.goodness, fitted.goodness_before)
    columns["flags"] = np.where(good, REFINED, 0)
    if optics.width_nm is not None:
        columns["psf_sigma_nm"] = np.where(good, third, np.nan)
    return Localizations(columns)
