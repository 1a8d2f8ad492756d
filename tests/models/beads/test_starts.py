"""A start goes on where a fit ended, and its reverse looks the same through a stage that moves the other way."""

import numpy as np

from models.aberrations.wavefront import SHAPE
from models.beads.starts import Start, best_start
from models.optics.objective import Objective
from models.optics.propagator import Setup
from models.optics.vectorial import Aberration, VectorialSpot

SETUP = Setup(Objective(sample_index=1.518), pupil_samples=48)
FOCUS = np.linspace(-800, 800, 5)
WAVES = {6: 0.15, 7: -0.1, 11: 0.08}
PLACE = (40.0, -30.0, 200.0)


def stack(waves: dict[int, float], place: tuple[float, float, float], focus_nm: np.ndarray) -> np.ndarray:
    spot = VectorialSpot(SETUP, 100, 25)
    modes = tuple(waves)
    phase = spot.propagator.zernike_phase(modes, np.array([list(waves.values())]))
    at = np.tile([place[0], place[1], 0.0], (len(focus_nm), 1))
    return np.asarray(spot(at, Aberration(focus_nm + place[2], np.repeat(phase, len(focus_nm), 0))))


def test_the_reverse_looks_the_same_with_the_stage_moving_the_other_way() -> None:
    ours = stack(WAVES, PLACE, FOCUS)
    turned = Start(WAVES, PLACE).reversed()
    theirs = stack(dict(turned.waves), turned.place_nm, -FOCUS)
    np.testing.assert_allclose(theirs, ours, atol=1e-3 * ours.max())
    assert turned.reversed() == Start(WAVES, PLACE)


def test_a_known_place_leads_where_the_brightest_slice_does_not() -> None:
    strong = {5: 0.25, 8: -0.2, 12: 0.2, 16: 0.15}
    rng = np.random.default_rng(1)
    counts = rng.poisson(2e4 * stack(strong, PLACE, FOCUS) + 20).astype(float)
    near = {j: 0.85 * c for j, c in strong.items()}
    spot = VectorialSpot(SETUP, 100, 25)
    found = best_start(spot, counts, FOCUS, SHAPE, [Start(near, (35.0, -20.0, 180.0))])
    assert found.explained
    assert abs(found.beads[0].focus_nm - 200) < 10
    again = Start.of(found)
    assert again.place_nm is not None
    assert np.allclose(again.place_nm[:2], PLACE[:2], atol=5)
