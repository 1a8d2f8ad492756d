"""What a simulated sample is like: structure, blinking, light, background, drift and optics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Literal

from models.colours.dyes import Dye
from models.optics.objective import Objective
from models.optics.spot import Spot
from models.scenes import optics
from models.scenes.blinking import Kinetics
from models.scenes.drift import Drift
from models.scenes.structures import Field


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
        Colours of the emitters, filaments and rings for each of its own, behind an open pupil; none: all are of the
        objective's wavelength.
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
