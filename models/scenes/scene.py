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

import numpy as np
from numpy.typing import NDArray

from models.camera import Camera
from models.localizations import Localizations
from models.optics.render import render
from models.optics.spot import Spot
from models.scenes.background import haze, structured
from models.scenes.blinking import Blinking
from models.scenes.emitters import Emitters, emitters
from models.scenes.photons import BRIGHTNESS
from models.scenes.settings import SceneSettings

Float64 = NDArray[np.float64]
HAZE_BLUR_NM = 1500.0
DRIFT_AHEAD = 4096
"""Frames of drift that are drawn at once."""


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
