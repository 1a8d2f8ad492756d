"""A simulated sample in front of the camera: blinking emitters on a structure -> frames with known truth.

| stage | in -> out | axes, unit |
|---|---|---|
| structure | field -> emitter positions | (n, 3) nm |
| blinking | time -> share of the exposure each emitter is on | (n,) |
| drift | time -> where the sample is | (3,) nm |
| optics | photons -> expected photons per pixel | (y, x) |
| background | structure -> what is added | (y, x) |
| camera | expected photons -> counts | (y, x) uint16 ADU |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.camera import Camera
from models.colours.dyes import Dye
from models.localizations import Localizations
from models.optics.objective import Objective
from models.optics.render import render
from models.optics.spot import Spot
from models.scenes import optics
from models.scenes.background import haze, structured
from models.scenes.blinking import Blinking, Kinetics
from models.scenes.drift import Drift
from models.scenes.emitters import Emitters, emitters
from models.scenes.photons import BRIGHTNESS
from models.scenes.structures import Field

Float64 = NDArray[np.float64]
HAZE_BLUR_NM = 1500.0
DRIFT_AHEAD = 4096
"""Frames of drift that are drawn at once."""


@dataclass(frozen=True, slots=True)
class SceneSettings:
    """What is in front of the camera; units in the names.

    Parameters
    ----------
    height_px, width_px : int
    pixel_size_nm : float
    structure : str
        A key of `STRUCTURES`, or the path of a file of positions.
    depth_nm : float
        Emitters are within this depth around the focal plane; 0 for a sample in focus.
    density_per_um2 : float
        Mean number of emitters that are on.
    on_frames : float
        Mean on-time.
    duty_cycle : float
        Share of time that an emitter is on.
    bleach_frames : float
        Mean time that an emitter is on altogether; infinite if it does not bleach.
    activation, activation_frames : float
        How much more often emitters switch on after so many frames: a ramp of the density.
    photons : float
        Mean photons of an emitter that is on for a whole frame.
    brightness : str
        How they spread from emitter to emitter: a key of `BRIGHTNESS`.
    background : float
        Photons per pixel and frame.
    background_contrast : float
        Standard deviation of its structure, relative.
    background_periods_nm : tuple of float
        Spatial periods of its structure.
    haze : float
        Photons per pixel of the structure's own glow from out of focus.
    drift : Drift
    psf : {"gaussian", "vectorial"}
    psf_sigma_nm : float
        Of the Gaussian PSF.
    mask : str
        In the pupil of the vectorial PSF: a key of `models.scenes.optics.MASKS`.
    zernike_waves : mapping of Noll index to float
        Aberrations of the vectorial PSF.
    objective : Objective
        Of the vectorial PSF.
    dyes : tuple of Dye
        Colours of the emitters, each on a structure of its own, behind an open pupil; none: all are of the objective's
        wavelength.
    """

    height_px: int = 256
    width_px: int = 256
    pixel_size_nm: float = 100.0
    structure: str = "filaments"
    depth_nm: float = 0.0
    density_per_um2: float = 0.08
    on_frames: float = 2.0
    duty_cycle: float = 0.002
    bleach_frames: float = inf
    activation: float = 1.0
    activation_frames: float = 1000.0
    photons: float = 1500.0
    brightness: str = "log-normal"
    background: float = 10.0
    background_contrast: float = 0.0
    background_periods_nm: tuple[float, ...] = (2000.0, 5000.0, 10_000.0)
    haze: float = 0.0
    drift: Drift = field(default_factory=Drift)
    psf: Literal["gaussian", "vectorial"] = "vectorial"
    psf_sigma_nm: float = 130.0
    mask: str = "none"
    zernike_waves: Mapping[int, float] = field(default_factory=dict)
    objective: Objective = field(default_factory=Objective)
    dyes: tuple[Dye, ...] = ()

    @property
    def field(self) -> Field:
        """The space that the sample fills."""
        return Field(self.width_px * self.pixel_size_nm, self.height_px * self.pixel_size_nm, self.depth_nm)

    @property
    def kinetics(self) -> Kinetics:
        """How emitters blink."""
        off_frames = self.on_frames * (1 / self.duty_cycle - 1)
        return Kinetics(self.on_frames, off_frames, self.bleach_frames, self.activation, self.activation_frames)

    def spots(self) -> tuple[Spot, ...]:
        """Return the spots that emitters are drawn with, of each colour."""
        if self.dyes:
            return tuple(optics.of_dye(dye, self.objective, self.pixel_size_nm, self.depth_nm) for dye in self.dyes)
        return (self._spot(),)

    def _spot(self) -> Spot:
        if self.psf == "gaussian":
            return optics.gaussian(self.psf_sigma_nm, self.pixel_size_nm)
        return optics.vectorial(self.objective, self.pixel_size_nm, self.depth_nm, self.mask, self.zernike_waves)


class Scene:
    """Takes pictures of a simulated sample; the same seed gives the same bytes.

    Parameters
    ----------
    settings : SceneSettings
    camera : Camera
    rng : numpy.random.Generator
    spot : Spot or None
        What emitters are drawn with instead of the spots of the settings.

    Attributes
    ----------
    positions_nm : (n, 3) float64
        Of all emitters, before drift.
    background : (y, x) float32
        Expected photons without emitters.
    channel : (n,) int64
        Colour of each emitter.
    """

    def __init__(
        self, settings: SceneSettings, camera: Camera, rng: np.random.Generator, spot: Spot | None = None
    ) -> None:
        self.settings, self.camera, self._rng = settings, camera, rng
        self.positions_nm, self.channel = _emitters(settings, rng)
        count = len(self.positions_nm)
        self._flux = BRIGHTNESS[settings.brightness](count, settings.photons, rng)
        self._blinking = Blinking(count, settings.kinetics, rng)
        self._spots = (spot,) if spot else settings.spots()
        self.background = _background(settings, self.positions_nm, rng)
        self._drift, self._frame = settings.drift.curve(DRIFT_AHEAD), 0

    def drift_nm(self, frame: int) -> Float64:
        """Return where the sample is at a frame relative to the first, (3,) nm."""
        if frame >= len(self._drift):
            self._drift = self.settings.drift.curve(2 * max(frame, len(self._drift)))
        return np.asarray(self._drift[frame])

    def activate(self, power: float) -> None:
        """Let emitters switch on `power` times as often as the settings say, from the next frame on."""
        self._blinking.activate(power)

    def picture(self) -> tuple[NDArray[np.uint16], Localizations]:
        """Return the next frame, (y, x) uint16 ADU, and its truth.

        Columns `frame`, `x_nm`, `y_nm`, `z_nm`, `photons` of this frame, `background` in photo-electrons per pixel and,
        where there are colours, `channel`.
        """
        photons = self._blinking.expose() * self._flux
        on = np.flatnonzero(photons > 0)
        places = self.positions_nm[on] + self.drift_nm(self._frame)
        self._stay_in_depth(places)
        light = self._light(places, photons[on], self.channel[on])
        truth = Localizations({
            "frame": np.full(len(on), self._frame), "x_nm": places[:, 0], "y_nm": places[:, 1], "z_nm": places[:, 2],
            "photons": photons[on], "background": self._under(places) * self.camera.quantum_efficiency,
            **({"channel": self.channel[on]} if self.settings.dyes else {}),
        })  # fmt: skip
        self._frame += 1
        return self.camera.expose(light + self.background, self._rng), truth

    def _light(self, places: Float64, photons: Float64, channel: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the expected photons of emitters, (y, x)."""
        shape, total = (1, self.settings.height_px, self.settings.width_px), np.float32(0)
        for number, spot in enumerate(self._spots):
            those = channel == number
            where, how_many = places[those].astype(np.float32), photons[those].astype(np.float32)
            total = total + render(spot, where, how_many, np.zeros(len(where), np.int64), shape)[0]
        return np.asarray(total)

    def _stay_in_depth(self, places: Float64) -> None:
        """Hold drifting emitters within the depth that the optics is known for."""
        half = self.settings.depth_nm / 2
        np.clip(places[:, 2], -half, half, out=places[:, 2])

    def _under(self, places: Float64) -> Float64:
        """Return the expected background photons under emitters, (n,)."""
        height, width = self.background.shape
        column, row = (np.floor(places[:, k] / self.settings.pixel_size_nm).astype(int) for k in range(2))
        return np.asarray(self.background[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)], np.float64)


def _emitters(settings: SceneSettings, rng: np.random.Generator) -> Emitters:
    area_um2 = settings.field.width_nm * settings.field.height_nm / 1e6
    count = max(1, round(settings.density_per_um2 * area_um2 / settings.duty_cycle))
    return emitters(settings.structure, count, max(1, len(settings.dyes)), settings.field, rng)


def _background(settings: SceneSettings, positions_nm: Float64, rng: np.random.Generator) -> NDArray[np.float32]:
    pixel, shape = settings.pixel_size_nm, (settings.height_px, settings.width_px)
    periods = tuple(period / pixel for period in settings.background_periods_nm)
    level = structured(shape, settings.background, settings.background_contrast, periods, rng)
    if settings.haze:
        level = level + haze(positions_nm[:, :2] / pixel, shape, settings.haze, HAZE_BLUR_NM / pixel)
    return level
