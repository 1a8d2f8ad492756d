"""A simulated camera with a clock of its own: blinking emitters on a structure, known truth on request."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from math import inf
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.camera import Camera
from models.colours.dyes import Dye
from models.localizations import CHANNELS
from models.scenes.drift import Drift
from models.scenes.optics import MaskName
from models.scenes.scene import Scene
from models.scenes.settings import SceneSettings
from stream.actuator import Setting, within
from stream.errors import DeviceFault
from stream.frame import Frame, StreamInfo
from stream.truth import TruthWriter

Zernikes = dict[Annotated[int, Field(ge=2, le=120)], Annotated[float, Field(ge=-3, le=3)]]
"""Noll index -> waves, root mean square."""
TICK_S = 0.05
LASER = ("laser", "power")
"""The one property that can be set: how often emitters switch on, relative to the settings."""
MOST_POWER = 1000.0
SPONTANEOUS = 0.01
"""So often, relative to the settings, emitters switch on in the dark."""


class ColourSettings(BaseModel):
    """`[[source.colour]]`: a dye, as `Dye`."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    wavelength_nm: float = Field(ge=300, le=1100)
    width_nm: float = Field(15.0, ge=0, le=60)
    """Standard deviation of what passes the filter."""
    focus_nm: float = Field(0.0, ge=-1000, le=1000)
    """Chromatic shift: its light is focused as if the stage were so far out of focus."""
    zernike_waves: Zernikes = {}
    """Aberrations at its wavelength by Noll index."""


class SimulatedSettings(BaseModel):
    """`[source] kind = "simulated"`; the camera's noise and the optics come from `[camera]` and `[optics]`."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    width_px: int = Field(256, ge=16, le=8192)
    height_px: int = Field(256, ge=16, le=8192)
    frames: int | None = Field(None, ge=1)
    frames_per_s: Annotated[float, Field(gt=0)] | Literal["max"] = 20.0
    structure: Literal["filaments", "rings", "lines", "uniform"] = "filaments"
    depth_nm: float = Field(0.0, ge=0, le=6000)
    """Thickness of the sample around the focal plane; 0 for a sample in focus."""
    density_per_um2: float = Field(0.08, gt=0, le=20)
    on_frames: float = Field(2.0, gt=0)
    duty_cycle: float = Field(0.002, gt=0, lt=1)
    bleach_frames: float = Field(inf, gt=0)
    """Mean time that an emitter is on altogether before it bleaches."""
    photons: float = Field(1500.0, gt=0)
    brightness: Literal["log-normal", "exponential", "equal"] = "log-normal"
    """How photons spread from emitter to emitter."""
    background: float = Field(10.0, ge=0)
    background_contrast: float = Field(0.0, ge=0, le=1)
    """Standard deviation of a structured background, relative."""
    haze: float = Field(0.0, ge=0)
    """Photons per pixel of the structure's glow from out of focus."""
    drift_nm_per_frame: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Steady movement of the sample along x, y and z."""
    drift_walk_nm: float = Field(0.0, ge=0, le=1000)
    """Standard deviation of the sample's random step from frame to frame."""
    psf: Literal["gaussian", "vectorial"] = "vectorial"
    psf_sigma_nm: float = Field(130.0, gt=10)
    mask: MaskName = "none"
    """In the pupil of the vectorial PSF."""
    zernike_waves: Zernikes = {}
    """Aberrations of the vectorial PSF by Noll index: what a network may not know."""
    colour: tuple[ColourSettings, ...] = Field((), max_length=CHANNELS)
    """Dyes, [[source.colour]]: wavelength_nm, width_nm, focus_nm, zernike_waves; each on filaments of its own."""
    seed: int = Field(1, ge=0)
    truth: Path | None = None

    @model_validator(mode="after")
    def _colours_behind_an_open_pupil(self) -> Self:
        if self.colour and (self.psf, self.mask, self.zernike_waves) != ("vectorial", "none", {}):
            raise ValueError(
                "[[source.colour]] stands for the spots of dyes behind an open pupil: leave out psf, mask and "
                "zernike_waves of [source]; aberrations are those of each colour"
            )
        return self

    @property
    def dyes(self) -> tuple[Dye, ...]:
        """The colours, shortest wavelength first."""
        return tuple(Dye(**one.model_dump()) for one in sorted(self.colour, key=lambda one: one.wavelength_nm))

    def scene(self, defaults: SceneSettings, camera: Camera) -> Scene:
        """Return the scene in front of the camera; `defaults` gives pixel size and objective."""
        shared = {
            name: getattr(self, name) for name in SceneSettings.__dataclass_fields__ if name in type(self).model_fields
        }
        drift = Drift(self.drift_nm_per_frame, self.drift_walk_nm, seed=self.seed)
        settings = SceneSettings(
            pixel_size_nm=defaults.pixel_size_nm, objective=defaults.objective, drift=drift, dyes=self.dyes, **shared
        )
        return Scene(settings, camera, np.random.default_rng(self.seed))


class SimulatedSource:
    """Takes pictures of a simulated sample at a steady rate.

    Parameters
    ----------
    settings : SimulatedSettings
    defaults : SceneSettings
        Pixel size and objective of the rig.
    camera : Camera
    clock, sleep : callable
        Passed in so that a test holds the time.
    """

    def __init__(
        self,
        settings: SimulatedSettings,
        defaults: SceneSettings,
        camera: Camera,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.settings, self._defaults, self._camera = settings, defaults, camera
        self._clock, self._sleep = clock, sleep
        self._truth: TruthWriter | None = None
        self._opened = False
        self.actuator = self

    def open(self) -> StreamInfo:
        """Set up the scene."""
        s = self.settings
        self._scene = s.scene(self._defaults, self._camera)
        self._truth = None if s.truth is None else TruthWriter(s.truth, bool(s.colour))
        paced, self._opened = s.frames_per_s != "max", True
        return StreamInfo(
            height_px=s.height_px, width_px=s.width_px, frames=s.frames, waits=not paced,
            exposure_ms=1000 / float(s.frames_per_s) if paced else float("nan"),
            pixel_size_nm=self._defaults.pixel_size_nm,
            description=f"simulated camera, {s.structure}, {s.psf} PSF, seed {s.seed}",
        )  # fmt: skip

    def frames(self) -> Iterator[Frame | None]:
        """Yield a picture at each tick of the camera's clock."""
        period = 0.0 if self.settings.frames_per_s == "max" else 1 / self.settings.frames_per_s
        began, index = self._clock(), 0
        while self._opened and index != self.settings.frames:
            pixels, truth = self._scene.picture()
            due = began + (index + 1) * period
            while (left := due - self._clock()) > 0:
                self._sleep(min(left, TICK_S))
                if left > TICK_S:
                    yield None
            if self._truth is not None:
                self._truth.write(truth)
            yield Frame(pixels, index, camera_time_s=(index + 1) * period, host_time_s=self._clock())
            index += 1

    def set(self, wanted: Setting) -> float:
        """Set the power of the activation laser, from the next picture on; return what it is now.

        Raises
        ------
        DeviceFault
            A device or property that is not there, or a value that is no number.
        """
        if (wanted.device, wanted.name) != LASER:
            raise DeviceFault(
                f"the simulated camera has no {wanted.device}.{wanted.name}",
                limit=f"it has {'.'.join(LASER)}",
                remedy="name these in [activation] device and property",
            )
        power = within(wanted, 0.0, MOST_POWER)
        self._scene.activate(SPONTANEOUS + (1 - SPONTANEOUS) * power)
        return power

    def close(self) -> None:
        """Take no more pictures, and finish the truth file."""
        self._opened = False
        if self._truth is not None:
            self._truth.close()
            self._truth = None
