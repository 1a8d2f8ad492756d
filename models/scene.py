"""A simulated sample in front of the camera: blinking emitters on a structure -> frames with known truth.

| stage | in -> out | axes, unit |
|---|---|---|
| structure | field -> emitter positions | (n, 2) nm |
| blinking | time -> share of the exposure each emitter is on | (n,) |
| optics | photons -> expected photons per pixel | (y, x) |
| camera | expected photons -> counts | (y, x) uint16 ADU |
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from models.camera import Camera
from models.localizations import Localizations
from models.optics.gaussian import profiles
from models.optics.in_focus import VectorialSpot
from models.optics.objective import Objective
from models.structures import STRUCTURES

FloatArray = NDArray[np.float64]


class Optics(Protocol):
    """Draws spots: positions in pixels and photons -> expected photons per pixel."""

    def __call__(self, x_px: FloatArray, y_px: FloatArray, photons: FloatArray) -> NDArray[np.float32]:
        """Return the (y, x) sum of all spots."""


@dataclass(frozen=True, slots=True)
class GaussianOptics:
    """Every spot is a Gaussian, integrated over the pixels."""

    height_px: int
    width_px: int
    sigma_px: float

    def __call__(self, x_px: FloatArray, y_px: FloatArray, photons: FloatArray) -> NDArray[np.float32]:
        """Return the (y, x) sum of all spots."""
        gx, gy = profiles(x_px, self.sigma_px, self.width_px), profiles(y_px, self.sigma_px, self.height_px)
        return np.asarray((gy * photons[:, None].astype(np.float32)).T @ gx, np.float32)


class VectorialOptics:
    """Every spot is the vectorial image of a freely rotating dipole in focus."""

    def __init__(self, height_px: int, width_px: int, spot: VectorialSpot) -> None:
        self.shape, self.spot = (height_px, width_px), spot

    def __call__(self, x_px: FloatArray, y_px: FloatArray, photons: FloatArray) -> NDArray[np.float32]:
        """Return the (y, x) sum of all spots."""
        reach = self.spot.size_px // 2
        canvas = np.zeros((self.shape[0] + 2 * reach, self.shape[1] + 2 * reach), np.float32)
        ix = np.clip(np.floor(x_px), 0, self.shape[1] - 1).astype(int)
        iy = np.clip(np.floor(y_px), 0, self.shape[0] - 1).astype(int)
        spots = self.spot.draw(x_px - ix - 0.5, y_px - iy - 0.5) * photons[:, None, None].astype(np.float32)
        for column, row, image in zip(ix, iy, spots, strict=True):
            canvas[row : row + self.spot.size_px, column : column + self.spot.size_px] += image
        return canvas[reach : reach + self.shape[0], reach : reach + self.shape[1]]


class Blinking:
    """Emitters that switch between on and off for exponential times (a continuous-time Markov chain).

    Parameters
    ----------
    count : int
    on_frames, off_frames : float
        Mean times in frames. The chain starts in its steady state.
    rng : numpy.random.Generator
    """

    def __init__(self, count: int, on_frames: float, off_frames: float, rng: np.random.Generator) -> None:
        self._mean = np.array([off_frames, on_frames])
        self._rng, self._time = rng, 0.0
        self._on = rng.random(count) < on_frames / (on_frames + off_frames)
        self._switch = rng.exponential(self._mean[self._on.astype(int)])

    def expose(self) -> FloatArray:
        """Advance by one frame; return the share of it that each emitter was on, (n,)."""
        end, share = self._time + 1, np.zeros(len(self._on))
        since = np.full(len(self._on), self._time)
        while (due := np.flatnonzero(self._switch < end)).size:
            share[due] += (self._switch[due] - since[due]) * self._on[due]
            since[due] = self._switch[due]
            self._on[due] ^= True
            self._switch[due] += self._rng.exponential(self._mean[self._on[due].astype(int)])
        self._time = end
        return share + (end - since) * self._on


@dataclass(frozen=True, slots=True)
class SceneSettings:
    """What is in front of the camera; units in the names.

    Parameters
    ----------
    height_px, width_px : int
    pixel_size_nm : float
    structure : {"filaments", "rings", "lines", "uniform"}
    density_per_um2 : float
        Mean number of emitters that are on.
    on_frames : float
        Mean on-time.
    duty_cycle : float
        Share of time that an emitter is on.
    photons : float
        Mean photons of an emitter that is on for a whole frame; spread log-normally by `photon_spread`.
    background : float
        Photons per pixel and frame.
    psf : {"gaussian", "vectorial"}
    psf_sigma_nm : float
        Of the Gaussian PSF.
    objective : Objective
        Of the vectorial PSF.
    """

    height_px: int = 256
    width_px: int = 256
    pixel_size_nm: float = 100.0
    structure: str = "filaments"
    density_per_um2: float = 0.08
    on_frames: float = 2.0
    duty_cycle: float = 0.002
    photons: float = 1500.0
    photon_spread: float = 0.3
    background: float = 10.0
    psf: Literal["gaussian", "vectorial"] = "vectorial"
    psf_sigma_nm: float = 130.0
    objective: Objective = field(default_factory=Objective)


class Scene:
    """Takes pictures of a simulated sample; the same seed gives the same bytes."""

    def __init__(self, settings: SceneSettings, camera: Camera, rng: np.random.Generator) -> None:
        self.settings, self.camera, self._rng = settings, camera, rng
        width_nm, height_nm = settings.width_px * settings.pixel_size_nm, settings.height_px * settings.pixel_size_nm
        count = max(1, round(settings.density_per_um2 * width_nm * height_nm / 1e6 / settings.duty_cycle))
        self.positions_nm = STRUCTURES[settings.structure](count, width_nm, height_nm, rng)
        self._flux = settings.photons * rng.lognormal(-(settings.photon_spread**2) / 2, settings.photon_spread, count)
        off_frames = settings.on_frames * (1 / settings.duty_cycle - 1)
        self._blinking = Blinking(count, settings.on_frames, off_frames, rng)
        self._optics = _optics(settings)
        self._frame = 0

    def picture(self) -> tuple[NDArray[np.uint16], Localizations]:
        """Return the next frame, (y, x) uint16 ADU, and its truth: `frame`, `x_nm`, `y_nm`, `photons`, `background`."""
        photons = self._blinking.expose() * self._flux
        on = photons > 0
        x_nm, y_nm = self.positions_nm[on].T
        pixel = self.settings.pixel_size_nm
        expected = self._optics(x_nm / pixel, y_nm / pixel, photons[on]) + np.float32(self.settings.background)
        background = np.full(int(on.sum()), self.settings.background * self.camera.quantum_efficiency)
        truth = Localizations({
            "frame": np.full(int(on.sum()), self._frame), "x_nm": x_nm, "y_nm": y_nm, "photons": photons[on],
            "background": background,
        })  # fmt: skip
        self._frame += 1
        return self.camera.expose(expected, self._rng), truth


def _optics(settings: SceneSettings) -> Optics:
    if settings.psf == "gaussian":
        return GaussianOptics(settings.height_px, settings.width_px, settings.psf_sigma_nm / settings.pixel_size_nm)
    return VectorialOptics(
        settings.height_px, settings.width_px, VectorialSpot(settings.objective, settings.pixel_size_nm)
    )
