"""A pupil that differs over the field is found part by part, within its uncertainty; a flat one stays flat."""

from dataclasses import replace

import numpy as np
import pytest

from models.aberrations.molecules import joined
from models.aberrations.over_field import CELL_NM
from models.aberrations.watch import Estimate, Known, OpticsWatch
from models.aberrations.wavefront import SHAPE
from tests.models.aberrations.test_follow import PIXEL_NM, SETUP, WINDOW_PX, direction, molecules

PLACES = ((0.5, 0.5), (2.5, 0.5))
"""Middle of two cells, in cells."""


@pytest.fixture(scope="module")
def tilted() -> tuple[np.ndarray, Estimate]:
    """Two parts of a field that deviate to either side, and a watch that has seen them five times."""
    truth, watch = direction(0.03), OpticsWatch(Known(SETUP, PIXEL_NM, WINDOW_PX, half_depth_nm=650))
    for number in range(5):
        parts = []
        for sign, place in zip((1, -1), PLACES, strict=True):
            seen = molecules(sign * truth, 20, 10 * number + sign + 1)
            parts.append(replace(seen, place_nm=np.tile(np.multiply(place, CELL_NM), (20, 1))))
        estimate = watch.take(joined(parts), 5.0 * number)
    return truth, estimate


def test_each_part_of_the_field_has_its_own_deviation(tilted: tuple[np.ndarray, Estimate]) -> None:
    truth, estimate = tilted
    assert np.linalg.norm(estimate.waves) < 0.02
    assert [(cell.x_nm, cell.y_nm) for cell in estimate.field] == [tuple(np.multiply(p, CELL_NM)) for p in PLACES]
    for sign, cell in zip((1, -1), estimate.field, strict=True):
        pulls = (estimate.waves + cell.deviation - sign * truth) / np.hypot(cell.sigma_waves, estimate.sigma_waves)
        assert cell.deviation @ truth * sign > 0.7 * truth @ truth
        assert np.sqrt((pulls**2).mean()) < 2
        assert cell.molecules > 80


def test_the_field_of_a_microscope_without_one_is_flat() -> None:
    watch = OpticsWatch(Known(SETUP, PIXEL_NM, WINDOW_PX, half_depth_nm=650))
    seen = molecules(np.zeros(len(SHAPE)), 40, 4)
    place = np.random.default_rng(1).uniform(0, 2 * CELL_NM, (40, 2))
    estimate = watch.take(replace(seen, place_nm=place), 0.0)
    assert len(estimate.field) == 4
    for cell in estimate.field:
        assert np.linalg.norm(cell.deviation) < 2.5 * np.linalg.norm(cell.sigma_waves)
