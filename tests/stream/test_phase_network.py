"""The phase network that ships says where a fit begins, wherever the slices lie; for other optics there is none."""

import numpy as np
import pytest

from models.aberrations.wavefront import SHAPE
from models.optics.objective import Objective
from models.optics.propagator import Setup
from models.optics.vectorial import Aberration, VectorialSpot
from stream.phase_network import PhaseNetwork, phase_network

OBJECTIVE = Objective(sample_index=1.518)
TRUTH = {6: 0.1, 7: -0.08, 11: 0.1, 14: 0.05}
X_NM, Y_NM, FOCUS_NM = 60.0, -80.0, 150.0


@pytest.fixture(scope="module")
def network() -> PhaseNetwork:
    found = phase_network(OBJECTIVE, 100.0)
    assert found is not None
    return found


def stack(focus_nm: np.ndarray, size_px: int) -> np.ndarray:
    spot = VectorialSpot(Setup(OBJECTIVE), 100, size_px)
    phase = spot.propagator.zernike_phase(tuple(TRUTH), np.array([list(TRUTH.values())]))
    at = np.tile([X_NM, Y_NM, 0.0], (len(focus_nm), 1))
    light = spot(at, Aberration(focus_nm + FOCUS_NM, np.repeat(phase, len(focus_nm), 0)))
    return np.random.default_rng(1).poisson(2e4 * np.asarray(light) + 20).astype(float)


@pytest.mark.parametrize("size_px", [31, 41, 51])
@pytest.mark.parametrize("focus_nm", [np.arange(-1500, 1501, 100.0), np.linspace(-1000, 1000, 5)])
def test_a_start_is_near_whatever_the_window_and_the_slices(
    network: PhaseNetwork, focus_nm: np.ndarray, size_px: int
) -> None:
    start = network.start(stack(focus_nm, size_px), focus_nm)
    assert start is not None
    off = [start.waves[j] - TRUTH.get(j, 0.0) for j in SHAPE]
    assert np.linalg.norm(off) < 0.6 * np.linalg.norm(list(TRUTH.values()))
    assert start.place_nm == pytest.approx((X_NM, Y_NM, FOCUS_NM), abs=100)


def test_a_stack_that_does_not_reach_far_enough_gets_none(network: PhaseNetwork) -> None:
    focus = np.arange(-500, 501, 100.0)
    assert network.start(stack(focus, 41), focus) is None


def test_there_is_none_for_other_optics() -> None:
    assert phase_network(Objective(numerical_aperture=1.2, sample_index=1.518), 100.0) is None
    assert phase_network(OBJECTIVE, 160.0) is None
