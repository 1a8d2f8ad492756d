"""The pupil's phase from a bead stack: maximum likelihood with exact derivatives.

Free are Zernike coefficients, the bead's x and y, the focus of the stack, and photons and background of each slice.
Sources: Hanser et al., J. Microsc. 216 (2004) for the task; Fisher scoring as in `models/fitting/fit.py`.

The images do not tell whether the stage moved up or down (even aberrations change sign with it), nor a turn by
180 degrees (odd ones do). Both must be known of the microscope.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.fitting.likelihood import deviance, score
from models.optics import zernike
from models.optics.vectorial import Aberration, VectorialSpot

Float64 = NDArray[np.float64]
MODES = tuple(range(5, 29))
"""Noll indices that are free unless told otherwise: tilt and defocus are the bead's position."""
LEAST_LIGHT = 1e-3
FIRST_DAMPING, EASE, STIFFEN, HOPELESS = 1e-2, 0.2, 6.0, 1e7


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What a bead stack tells.

    Parameters
    ----------
    zernike_waves, sigma_waves : dict of Noll index to float
        Coefficients and their Cramer-Rao bounds; the pupil of the spot has its own beside them.
    x_nm, y_nm, focus_nm : float
        Of the bead from the centre of the window, and added to the focus of each slice.
    photons, background : (z,) float
        Of each slice.
    model : (z, y, x) float
        What was expected.
    chi2 : float
        Deviance over the number of pixels less that of parameters: about 1 where the model is right.
    converged : bool
    """

    zernike_waves: dict[int, float]
    sigma_waves: dict[int, float]
    x_nm: float
    y_nm: float
    focus_nm: float
    photons: Float64
    background: Float64
    model: Float64
    chi2: float
    converged: bool


def retrieve(
    spot: VectorialSpot,
    stack: Float64,
    focus_nm: Float64,
    modes: tuple[int, ...] = MODES,
    start_waves: Mapping[int, float] | None = None,
    variance: float | Float64 = 0.0,
    most_steps: int = 60,
) -> Retrieved:
    """Fit a bead stack.

    Parameters
    ----------
    spot : VectorialSpot
        The optics without the aberrations that are looked for; its window is that of the stack.
    stack : (z, y, x) float
        Photo-electrons over the excess noise factor.
    focus_nm : (z,) float
        Stage position of each slice, positive towards the objective.
    modes : tuple of int
        Noll indices of the free coefficients.
    start_waves : mapping of Noll index to float
        Where to start; zero for what is not named.
    variance : float or (y, x)
        Of the read noise.
    most_steps : int

    Raises
    ------
    ValueError
        The stack has other slices or another window.
    """
    if stack.shape != (len(focus_nm), spot.size_px, spot.size_px):
        raise ValueError(
            f"the stack has shape {stack.shape}, but there are {len(focus_nm)} stage positions and a window of "
            f"{spot.size_px} pixels: it must be (z, y, x) of these"
        )
    return _Retrieval(spot, stack, focus_nm, modes, variance).run(start_waves or {}, most_steps)


class _Retrieval:
    """Parameters: x, y, focus, one for each mode; photons of each slice; background of each slice."""

    def __init__(
        self, spot: VectorialSpot, stack: Float64, focus_nm: Float64, modes: tuple[int, ...], variance: float | Float64
    ) -> None:
        self._spot, self._modes, self._focus, self._shape = spot, modes, focus_nm, stack.shape
        self._counts = stack.reshape(1, -1).astype(float)
        self._variance = np.broadcast_to(variance, stack.shape).reshape(1, -1).astype(float)
        pupil = spot.propagator.pupil
        shared = [-pupil.k_edge * pupil.x, -pupil.k_edge * pupil.y, pupil.kz_immersion.real]
        self._basis = np.stack([*shared, *(2 * np.pi * zernike.evaluate(j, pupil.x, pupil.y) for j in modes)])

    def run(self, start_waves: Mapping[int, float], most_steps: int) -> Retrieved:
        theta = self._start(start_waves)
        mean, jacobian = self._expected(theta)
        cost, damping, converged = self._cost(mean), FIRST_DAMPING, False
        gradient, information = self._score(mean, jacobian)
        for _ in range(most_steps):
            step = _step(gradient, information, damping)
            trial = self._inside(theta + step)
            new_mean, new_jacobian = self._expected(trial)
            new_cost = self._cost(new_mean)
            if new_cost <= cost:
                gain, theta, mean, jacobian = cost - new_cost, trial, new_mean, new_jacobian
                cost, damping = new_cost, damping * EASE
                gradient, information = self._score(mean, jacobian)
                if gain < 1e-2:
                    converged = True
                    break
            else:
                damping *= STIFFEN
                if damping > HOPELESS:
                    break
        return self._result(theta, mean, cost, information, converged)

    def _start(self, start_waves: Mapping[int, float]) -> Float64:
        """Photons and background from the border and the sum of each slice; the bead in the middle."""
        slices = self._counts.reshape(self._shape)
        border = np.concatenate((slices[:, 0], slices[:, -1], slices[:, :, 0], slices[:, :, -1]), axis=1)
        background = np.maximum(np.median(border, axis=1), LEAST_LIGHT)
        photons = np.maximum(slices.sum((1, 2)) - background * self._shape[1] * self._shape[2], 1.0)
        waves = [start_waves.get(j, 0.0) for j in self._modes]
        return np.concatenate(([0.0, 0.0, 0.0], waves, photons, background))

    def _expected(self, theta: Float64) -> tuple[Float64, Float64]:
        """Return expected counts (1, pixels) and their Jacobian (1, parameters, pixels)."""
        shared, z = len(self._basis), self._shape[0]
        photons, background = theta[shared : shared + z, None, None], theta[shared + z :, None, None]
        phase = np.broadcast_to(np.tensordot(theta[:shared], self._basis, 1), (z, *self._basis.shape[1:]))
        images, slopes = self._spot.with_phase_gradient(np.zeros((z, 3)), Aberration(self._focus, phase), self._basis)
        jacobian = np.zeros((shared + 2 * z, *self._shape))
        jacobian[:shared] = np.moveaxis(slopes * photons[:, None], 0, 1)
        slices = np.arange(z)
        jacobian[shared + slices, slices] = images
        jacobian[shared + z + slices, slices] = 1.0
        return (photons * images + background).reshape(1, -1), jacobian.reshape(1, len(jacobian), -1)

    def _cost(self, mean: Float64) -> float:
        return float(deviance(self._counts, mean, self._variance)[0])

    def _score(self, mean: Float64, jacobian: Float64) -> tuple[Float64, Float64]:
        gradient, information = score(self._counts, mean, jacobian, self._variance)
        return gradient[0], information[0]

    def _inside(self, theta: Float64) -> Float64:
        light = len(self._basis)
        return np.concatenate((theta[:light], np.maximum(theta[light:], LEAST_LIGHT)))

    def _result(self, theta: Float64, mean: Float64, cost: float, information: Float64, converged: bool) -> Retrieved:
        shared, z = len(self._basis), self._shape[0]
        scale = np.sqrt(np.maximum(np.diag(information), 1e-30))
        sigma = np.sqrt(np.diag(np.linalg.pinv(information / np.outer(scale, scale)))) / scale
        return Retrieved(
            zernike_waves=dict(zip(self._modes, theta[3:shared].tolist(), strict=True)),
            sigma_waves=dict(zip(self._modes, sigma[3:shared].tolist(), strict=True)),
            x_nm=float(theta[0]), y_nm=float(theta[1]), focus_nm=float(theta[2]),
            photons=theta[shared : shared + z], background=theta[shared + z :], model=mean.reshape(self._shape),
            chi2=cost / (self._counts.size - len(theta)), converged=converged,
        )  # fmt: skip


def _step(gradient: Float64, information: Float64, damping: float) -> Float64:
    scale = np.sqrt(np.maximum(np.diag(information), 1e-30))
    normal = information / np.outer(scale, scale) + damping * np.eye(len(scale))
    return np.linalg.solve(normal, gradient / scale) / scale
