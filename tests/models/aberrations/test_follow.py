"""The pupil is found from single molecules, within the uncertainty that is stated, and followed when it changes."""

from dataclasses import replace

import numpy as np
import pytest

from models.aberrations.follow import PupilFilter, unknown
from models.aberrations.molecules import Molecules
from models.aberrations.watch import Known, OpticsWatch
from models.aberrations.wavefront import SHAPE
from models.optics import phase_masks
from models.optics.objective import Objective
from models.optics.propagator import Setup
from models.optics.vectorial import VectorialSpot

SETUP = Setup(Objective(sample_index=1.518), mask=phase_masks.astigmatism(), height_nm=650, pupil_samples=48)
PIXEL_NM, WINDOW_PX = 100.0, 21


def molecules(waves: np.ndarray, count: int, seed: int, photons: float = 3000.0) -> Molecules:
    """Molecules behind a pupil, localized with the precision of a network."""
    rng = np.random.default_rng(seed)
    setup = replace(SETUP, zernike_waves=dict(zip(SHAPE, waves.tolist(), strict=True)))
    position = np.column_stack((rng.uniform(-50, 50, (count, 2)), rng.uniform(-550, 550, count)))
    light = photons * VectorialSpot(setup, PIXEL_NM, WINDOW_PX)(position)
    counts = rng.poisson(light + 10).astype(np.float32)
    said = position + rng.normal(0, [10, 10, 25], position.shape)
    level, bright = np.full(count, 10.0), np.full(count, photons)
    return Molecules(counts, np.zeros_like(counts), said, bright, level, np.zeros((count, 2)))


def direction(rms: float, seed: int = 5) -> np.ndarray:
    waves = np.random.default_rng(seed).normal(size=len(SHAPE))
    return rms * waves / np.linalg.norm(waves)


@pytest.fixture(scope="module")
def pupil_filter() -> PupilFilter:
    return PupilFilter(VectorialSpot(SETUP, PIXEL_NM, WINDOW_PX), wander_waves=0.001)


def test_the_pupil_is_found_within_its_stated_uncertainty(pupil_filter: PupilFilter) -> None:
    truth = direction(0.08)
    state = pupil_filter.update(unknown(0.03), molecules(truth, 40, 1), 0.0)
    pulls = (state.waves - truth) / state.sigma_waves
    assert state.error_waves < 0.01
    assert np.linalg.norm(state.waves - truth) < 2 * state.error_waves
    assert 0.5 < np.sqrt((pulls**2).mean()) < 1.5
    assert state.chi2 == pytest.approx(1, abs=0.1)


def test_what_was_known_counts_and_fades(pupil_filter: PupilFilter) -> None:
    seen = molecules(direction(0.05), 12, 2)
    before = pupil_filter.update(unknown(0.03), seen, 0.0)
    at_once, later = (pupil_filter.update(before, seen, seconds) for seconds in (0.0, 3600.0))
    assert at_once.error_waves < before.error_waves
    assert at_once.error_waves < later.error_waves


def test_a_molecule_with_somebody_elses_light_is_left_out(pupil_filter: PupilFilter) -> None:
    seen = molecules(np.zeros(len(SHAPE)), 24, 3)
    seen.counts[:3, 3:7, 3:7] += 400
    state = pupil_filter.update(unknown(0.03), seen, 0.0)
    assert state.molecules <= 21
    assert np.linalg.norm(state.waves) < 3 * state.error_waves


def test_new_spots_come_when_the_pupil_has_changed_and_only_then() -> None:
    watch = OpticsWatch(Known(SETUP, PIXEL_NM, WINDOW_PX, half_depth_nm=650, sigma_waves=0.01))
    same = watch.take(molecules(np.zeros(len(SHAPE)), 40, 4), 0.0)
    assert (same.epoch, same.spots, same.changed) == (0, None, False)
    truth = direction(0.06)
    other = watch.take(molecules(truth, 40, 6), 600.0)
    assert other.epoch == 1
    assert other.changed
    assert other.change_waves == pytest.approx(0.06, abs=4 * other.change_sigma_waves)
    assert other.spots is not None
    assert other.spots.z_nm == (-650.0, 650.0)
