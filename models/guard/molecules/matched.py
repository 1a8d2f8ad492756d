"""Simulated data as the training had it, or with one thing changed: what the guard learns from."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import log

import numpy as np
from numpy.typing import NDArray

from models.camera import Camera
from models.guard.molecules.in_focus import Part
from models.guard.molecules.optics import Change
from models.optics.spot import Spot
from models.sample_space import Range, SampleSpace
from models.scenes.scene import Scene
from models.scenes.settings import SceneSettings

SIDE_PX, FRAMES = 96, 4
OFFSET_ADU, MULTIPLIED = 100.0, 100.0
"""Of the simulated cameras: offset, and gain of the EM register where there is one."""
FINE_NM = (600.0, 1000.0, 2000.0)
"""Periods of a background that has structure as fine as a molecule."""
USUAL_NM = (2000.0, 5000.0, 10_000.0)
INNER = 0.25
"""So much of a range, by its law, is left out at either end: what lies there is the business of the sample space."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """How the data differ from what network and rig say.

    Parameters
    ----------
    optics : Change
        In depth.
    parts : tuple of Part
        In focus: what spots look like; none: as in the training.
    gain : float
        The rig's gain in photo-electrons per count over the true one.
    offset_adu : float
        The true offset less the rig's.
    read_noise : float
        The true read noise over the rig's, for a rig that says at least 1.5 photo-electrons.
    structure : float
        Standard deviation of a fine background over its mean; 0: as in the training.
    density, background, photons : float
        Times what is drawn.
    depth : float
        Times the depth that molecules are drawn from.
    """

    optics: Change = field(default_factory=Change)
    parts: tuple[Part, ...] = ()
    gain: float = 1.0
    offset_adu: float = 0.0
    read_noise: float = 1.0
    structure: float = 0.0
    density: float = 1.0
    background: float = 1.0
    photons: float = 1.0
    depth: float = 1.0


MATCHED = Mismatch()


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a scene is like; photons and background in photo-electrons, depth over that of the training.

    In focus `width_px` is the standard deviation of the spots, in pixels; else 0.
    """

    photons: float
    background: float
    contrast: float
    density_per_um2: float
    on_time_frames: float
    read_noise_e: float
    multiplied: bool
    depth: float
    width_px: float = 0.0


def conditions(space: SampleSpace, rng: np.random.Generator) -> Conditions:
    """Draw the conditions of a scene from the inner part of a sample space."""

    def draw(name: str) -> float:
        return _inner(space[name]).sample(rng)

    contrast = space["background_contrast"].sample(rng) if "background_contrast" in space.fields else 0.0
    return Conditions(
        draw("photons"), draw("background_e"), contrast, draw("density_per_um2"),
        draw("on_time_frames"), draw("read_noise_e"), bool(rng.random() < space.number("em_share")),
        float(rng.uniform(0.5, 0.98)), draw("psf_sigma_px") if "psf_sigma_px" in space.fields else 0.0,
    )  # fmt: skip


def _inner(ends: Range) -> Range:
    if ends.law == "uniform" or ends.low <= 0:
        return Range(ends.low + INNER * (ends.high - ends.low) / 2, ends.high - INNER * (ends.high - ends.low))
    span = log(ends.high / ends.low)
    return Range(ends.low * np.exp(INNER * span), ends.high * np.exp(-INNER * span / 2), "log-uniform")


def camera_of(drawn: Conditions) -> Camera:
    """Return the camera that the rig states."""
    if drawn.multiplied:
        return Camera(OFFSET_ADU, 0.2, drawn.read_noise_e * 20, MULTIPLIED)
    return Camera(OFFSET_ADU, 2.0, max(drawn.read_noise_e, 0.3))


def _true_camera(stated: Camera, mismatch: Mismatch) -> Camera:
    scale = stated.em_gain
    noise = max(float(stated.read_noise_e), 1.5 * scale) * mismatch.read_noise
    return Camera(
        OFFSET_ADU + mismatch.offset_adu, stated.gain_adu_per_e / mismatch.gain,
        noise if mismatch.read_noise != 1 else stated.read_noise_e, stated.em_gain,
    )  # fmt: skip


def frames(
    drawn: Conditions, spot: Spot, depth_nm: float, mismatch: Mismatch, rng: np.random.Generator,
    side_px: int = SIDE_PX, count: int = FRAMES,
) -> tuple[NDArray[np.uint16], Camera]:  # fmt: skip
    """Return frames (t, y, x) ADU that follow each other, and the camera that the rig states.

    Parameters
    ----------
    drawn : Conditions
    spot : Spot
        What molecules look like; with the mismatch's change.
    depth_nm : float
        That the network knows; 0 in focus.
    mismatch : Mismatch
    rng : numpy.random.Generator
    side_px, count : int
    """
    stated = camera_of(drawn)
    settings = SceneSettings(
        height_px=side_px, width_px=side_px, pixel_size_nm=spot.pixel_size_nm, structure="uniform",
        depth_nm=depth_nm * (drawn.depth if mismatch.depth == 1 else mismatch.depth),
        density_per_um2=drawn.density_per_um2 * mismatch.density, on_frames=drawn.on_time_frames, duty_cycle=0.01,
        photons=drawn.photons * mismatch.photons, background=drawn.background * mismatch.background,
        background_contrast=mismatch.structure or drawn.contrast,
        background_periods_nm=FINE_NM if mismatch.structure else USUAL_NM,
    )  # fmt: skip
    scene = Scene(settings, _true_camera(stated, mismatch), rng, spot)
    return np.stack([scene.picture()[0] for _ in range(count)]), stated
