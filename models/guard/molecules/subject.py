"""What a guard watches over: networks in depth, whose optics are known; in focus, whose spots are Gaussians."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from models.camera import Camera
from models.guard.molecules.causes import IN_DEPTH, IN_FOCUS, Cause
from models.guard.molecules.in_focus import Mixed, templates_in_focus, usual_spot
from models.guard.molecules.matched import Conditions, Mismatch
from models.guard.molecules.optics import Change, KnownOptics
from models.guard.molecules.templates import Templates, templates
from models.optics.low_rank import LowRankSpot
from models.optics.spot import Spot
from models.refining.refine import Optics
from models.refining.spline import SplineSpot, spline_of
from models.refining.widths import gaussian_spline

WINDOW_PX = 15
"""Of the molecules that are looked at: more would often hold a neighbour."""
SCENE_PX = 35
"""Window of the spots that scenes are drawn with."""
USUAL_WIDTH_PX = 1.3


class Subject(Protocol):
    """Kind of network."""

    causes: Mapping[str, Cause]
    depth_nm: float
    """That molecules are drawn from; 0 in focus."""
    pixel_size_nm: float
    spline: SplineSpot
    """The spot that molecules are fitted with."""

    def optics(self, camera: Camera) -> Optics:
        """Return what a fit must know."""

    def templates(self) -> Templates:
        """Return how the spot may change."""

    def spot(self, drawn: Conditions, mismatch: Mismatch, rng: np.random.Generator) -> Spot:
        """Return what the molecules of a scene look like."""


class InDepth:
    """A network that finds z.

    Parameters
    ----------
    known : KnownOptics
        What its spots were computed from.
    spot : LowRankSpot
        The spots that it was trained with.
    half_depth_nm : float
        It was trained on molecules so far from the focus.
    """

    def __init__(self, known: KnownOptics, spot: LowRankSpot, half_depth_nm: float) -> None:
        self.causes: Mapping[str, Cause] = {
            name: cause for name, cause in IN_DEPTH.items() if _is_one(cause.mismatch.optics, known)
        }
        self.depth_nm, self.pixel_size_nm = 2 * half_depth_nm, spot.pixel_size_nm
        self.spline = spline_of(spot, WINDOW_PX)
        self._known, self._trained = known, spot
        self._changed: dict[Change, LowRankSpot] = {}

    def optics(self, camera: Camera) -> Optics:
        """Return what a fit must know."""
        return Optics(self.spline, camera)

    def templates(self) -> Templates:
        """Return how the spot changes with aberrations, pixel size and blur."""
        return templates(self._known, self.spline.z_nm, self.spline.window_px)

    def spot(self, drawn: Conditions, mismatch: Mismatch, rng: np.random.Generator) -> Spot:
        """Return the trained spots, or changed ones, which are made once."""
        if mismatch.optics == Change():
            return self._trained
        if mismatch.optics not in self._changed:
            self._changed[mismatch.optics] = self._known.quick(mismatch.optics, SCENE_PX)
        return self._changed[mismatch.optics]


def _is_one(change: Change, known: KnownOptics) -> bool:
    return not change.mask or known.differs(change, WINDOW_PX)


class InFocus:
    """A network that finds x and y; lengths are in pixels of `pixel_size_nm`, whatever the camera's are."""

    def __init__(self, pixel_size_nm: float = 100.0) -> None:
        self.causes, self.depth_nm, self.pixel_size_nm = IN_FOCUS, 0.0, pixel_size_nm
        self.spline = gaussian_spline(pixel_size_nm, WINDOW_PX - 2)

    def optics(self, camera: Camera) -> Optics:
        """Return what a fit must know."""
        return Optics(self.spline, camera, USUAL_WIDTH_PX * self.pixel_size_nm)

    def templates(self) -> Templates:
        """Return how a Gaussian may change beside its width."""
        return templates_in_focus(self.pixel_size_nm, self.spline.window_px)

    def spot(self, drawn: Conditions, mismatch: Mismatch, rng: np.random.Generator) -> Spot:
        """Return spots of the scene's width."""
        width_nm = drawn.width_px * self.pixel_size_nm
        if mismatch.parts:
            return Mixed(mismatch.parts, self.pixel_size_nm, width_nm)
        return usual_spot(width_nm, self.pixel_size_nm, rng)
