"""The optics over a night: estimates of the pupil one after the other, and new spots whenever they have changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from numpy.typing import NDArray

from models.aberrations.follow import PupilFilter, State, unknown
from models.aberrations.molecules import Molecules
from models.aberrations.over_field import Cell, FieldMap
from models.aberrations.wavefront import SHAPE
from models.beads.spots import retrieved_spots
from models.optics.propagator import Setup
from models.optics.slices import PsfSlices, slices
from models.optics.vectorial import VectorialSpot
from models.refining.spline import SplineSpot, spline_of

Float64 = NDArray[np.float64]
RENEW_WAVES, RENEW_SIGMAS = 0.01, 1.5
"""Smaller changes of the wavefront, in waves or in its standard deviations, are not worth new spots."""
SURE = 3.0
"""A change is one if it is so many of its standard deviations."""
SLICE_PIXEL_NM = 40.0
"""Of the PSF that is shown to people: below half a resolution of any objective."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the optics before the first molecule.

    Parameters
    ----------
    setup : Setup
        With mask, aberrations and the height of the focal plane.
    pixel_size_nm : float
    window_px : int
        Of the molecules' crops; odd.
    spot_px : int
        Of the spots that are made; odd.
    half_depth_nm : float
        Molecules are so far above and below the focal plane.
    sigma_waves : float
        How well each coefficient is known.
    wander_waves : float
        By how much each changes in a second, root mean square.
    """

    setup: Setup
    pixel_size_nm: float
    window_px: int = 21
    spot_px: int = 31
    half_depth_nm: float = 600.0
    sigma_waves: float = 0.03
    wander_waves: float = 0.001

    def behind(self, waves: Float64) -> dict[int, float]:
        """Return all aberrations, Noll index to waves, where Noll 5 to 28 have become these, (24,)."""
        others = {j: c for j, c in (self.setup.zernike_waves or {}).items() if j not in SHAPE}
        return dict(zip(SHAPE, waves.tolist(), strict=True)) | others

    def psf(self, waves: Float64 | None = None) -> PsfSlices:
        """Return the PSF where Noll 5 to 28 have become these, (24,) waves; None: as they were known to be."""
        setup = self.setup if waves is None else replace(self.setup, zernike_waves=self.behind(waves))
        side = 2 * ceil(self.window_px * self.pixel_size_nm / SLICE_PIXEL_NM / 2) + 1
        lowest = min(self.half_depth_nm, setup.height_nm)  # no molecule is below the coverslip
        return slices(VectorialSpot(setup, SLICE_PIXEL_NM, side), -lowest, self.half_depth_nm)


@dataclass(frozen=True, slots=True)
class Estimate:
    """The optics now.

    Parameters
    ----------
    waves, sigma_waves : (24,) float64
        Noll 5 to 28 with what was known beforehand; their standard deviations.
    error_waves : float
        Expected root mean square error of the wavefront.
    change : (24,) float64
        Waves since the start.
    change_sigma_waves : float
        Standard deviation of its root mean square.
    chi2 : float
        Of the molecules, the median per degree of freedom.
    molecules : int
    epoch : int
        Number of the spots that are right from now on.
    spots : SplineSpot or None
        The spots of a new epoch.
    field : tuple of Cell
        How the pupil differs over the field of view; nothing where molecules have not told.
    psf : PsfSlices or None
        That of the new spots.
    """

    waves: Float64
    sigma_waves: Float64
    error_waves: float
    change: Float64
    change_sigma_waves: float
    chi2: float
    molecules: int
    epoch: int
    spots: SplineSpot | None
    field: tuple[Cell, ...] = ()
    psf: PsfSlices | None = None

    @property
    def change_waves(self) -> float:
        """Root mean square change since the start."""
        return float(np.linalg.norm(self.change))

    @property
    def changed(self) -> bool:
        """Whether the optics are others than at the start, beyond doubt and by enough to matter."""
        return self.change_waves > max(SURE * self.change_sigma_waves, RENEW_WAVES)


class OpticsWatch:
    """Follows the optics; one for each run.

    Parameters
    ----------
    known : Known
    """

    def __init__(self, known: Known) -> None:
        self._known = known
        self._before = np.array([(known.setup.zernike_waves or {}).get(j, 0.0) for j in SHAPE])
        self._filter = PupilFilter(VectorialSpot(known.setup, known.pixel_size_nm, known.window_px), known.wander_waves)
        self._state: State = unknown(known.sigma_waves)
        self._drawn, self._epoch = self._state.waves, 0
        self._time_s: float | None = None
        self._field = FieldMap(known.wander_waves)

    def take(self, molecules: Molecules, time_s: float) -> Estimate:
        """Return the optics after some molecules more, at least one; `time_s` is when they shone."""
        elapsed = 0.0 if self._time_s is None else max(time_s - self._time_s, 0.0)
        state = self._filter.update(self._state, molecules, elapsed)
        assert state.evidence is not None, "it is there after an update"
        self._field.take(state.evidence, state.waves, elapsed)
        return self.take_state(state, time_s)

    def take_state(self, state: State, time_s: float) -> Estimate:
        """Return the optics after somebody else found the pupil, from beads."""
        self._state, self._time_s = state, time_s
        return self._estimate(self._renewed())

    def _renewed(self) -> SplineSpot | None:
        """Return new spots if the present ones are no longer right."""
        state = self._state
        if np.linalg.norm(state.waves - self._drawn) < max(RENEW_WAVES, RENEW_SIGMAS * state.error_waves):
            return None
        self._drawn, self._epoch = state.waves, self._epoch + 1
        known = self._known
        waves, height = known.behind(self._before + state.waves), known.setup.height_nm
        made = retrieved_spots(known.setup, waves, known.pixel_size_nm, known.spot_px, known.half_depth_nm, height)
        return spline_of(made)

    def _estimate(self, spots: SplineSpot | None) -> Estimate:
        state, waves = self._state, self._before + self._state.waves
        direction = state.waves / max(float(np.linalg.norm(state.waves)), 1e-12)
        along = float(np.sqrt(direction @ state.covariance_waves2 @ direction))
        return Estimate(
            waves, state.sigma_waves, state.error_waves, state.waves, along, state.chi2, state.molecules, self._epoch,
            spots, self._field.cells(), None if spots is None else self._known.psf(waves),
        )  # fmt: skip
