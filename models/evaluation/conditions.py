"""What a localizer is judged with: spot, camera, background; the same for every localizer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.camera import Camera
from models.localizations import Localizations
from models.optics.gaussian import GaussianSpot, constant
from models.optics.spot import DifferentiableSpot
from models.sample_space import SampleSpace

Locate = Callable[[NDArray[np.uint16], Camera], Localizations]
"""Frames (t, y, x) ADU that follow each other, camera -> table; `frame` counts from 0."""
SIGMA_NM = 130.0


@dataclass(frozen=True, slots=True)
class Conditions:
    """Spot, camera and background of the simulated data.

    Parameters
    ----------
    spot : DifferentiableSpot
    half_depth_nm : float
        Emitters are so far above and below the focus; 0 in two dimensions.
    camera : Camera
    background : float
        Photo-electrons per pixel.
    """

    spot: DifferentiableSpot
    half_depth_nm: float
    camera: Camera = field(default_factory=lambda: Camera(offset_adu=100, gain_adu_per_e=2.0, read_noise_e=1.5))
    background: float = 10.0

    @property
    def axes(self) -> tuple[str, ...]:
        """What is to be found."""
        return ("x_nm", "y_nm", "z_nm") if self.half_depth_nm else ("x_nm", "y_nm")


def in_focus(pixel_size_nm: float = 100.0) -> Conditions:
    """Return the conditions of two dimensions: Gaussian spots of 130 nm."""
    return Conditions(GaussianSpot(constant(SIGMA_NM), pixel_size_nm, 13), 0.0)


def in_depth(spot: DifferentiableSpot, space: SampleSpace) -> Conditions:
    """Return the conditions of three dimensions: emitters as far above the focus as below, all of them in z_nm."""
    z = space["z_nm"]
    return Conditions(spot, min(-z.low, z.high) if 0 in z else space.scale("z_nm")[1])
