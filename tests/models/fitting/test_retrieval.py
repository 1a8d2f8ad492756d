"""Phase retrieval attains the Cramer-Rao bound, and what no image tells is the same for both answers."""

import numpy as np
import pytest

from models.fitting.retrieval import retrieve
from models.optics.objective import Objective
from models.optics.propagator import Setup
from models.optics.vectorial import Aberration, VectorialSpot

OIL = Objective(sample_index=1.518)
MODES = tuple(range(5, 16))
FOCUS = np.linspace(-800, 800, 5)
PIXELS, SIZE = 100.0, 25


@pytest.fixture(scope="module")
def waves() -> dict[int, float]:
    rng = np.random.default_rng(1)
    return {j: float(rng.normal(0, 0.05)) for j in MODES}


@pytest.fixture(scope="module")
def stack(waves) -> np.ndarray:
    """Return counts of a bead at (30, -20) nm, 40 nm out of focus."""
    spot = VectorialSpot(Setup(OIL, zernike_waves=waves, pupil_samples=48), PIXELS, SIZE)
    images = spot(np.repeat([[30.0, -20, 0]], 5, 0), Aberration(focus_nm=FOCUS + 40))
    return np.random.default_rng(2).poisson(1e5 * images + 20).astype(float)


def clean() -> VectorialSpot:
    return VectorialSpot(Setup(OIL, pupil_samples=48), PIXELS, SIZE)


def test_the_aberrations_come_back_with_their_error(waves, stack) -> None:
    found = retrieve(clean(), [stack], FOCUS, MODES)
    bead = found.beads[0]
    assert found.converged
    assert found.explained
    assert found.chi2 == pytest.approx(1, abs=0.06)
    pulls = [(found.zernike_waves[j] - waves[j]) / found.sigma_waves[j] for j in MODES]
    assert 0.4 < np.sqrt(np.mean(np.square(pulls))) < 1.8
    assert max(found.sigma_waves.values()) < 0.003
    assert (bead.x_nm, bead.y_nm) == pytest.approx((30, -20), abs=4)  # coma moves the image too
    assert bead.focus_nm == pytest.approx(40, abs=5)
    np.testing.assert_allclose(bead.photons, 1e5, rtol=0.03)
    np.testing.assert_allclose(bead.background, 20, rtol=0.1)


def test_a_stage_that_moves_the_other_way_gives_the_twin(waves, stack) -> None:
    """Even aberrations change sign, odd ones do not, and the images fit as well: the direction must be known."""
    one, twin = retrieve(clean(), [stack], FOCUS, MODES), retrieve(clean(), [stack], -FOCUS, MODES)
    assert twin.chi2 == pytest.approx(one.chi2, abs=1e-3)
    even = {5, 6, 11, 12, 13, 14, 15}
    for j in MODES:
        sign = -1 if j in even else 1
        assert twin.zernike_waves[j] == pytest.approx(sign * one.zernike_waves[j], abs=1e-3)


def test_a_model_that_is_wrong_shows_in_chi2(stack) -> None:
    other = VectorialSpot(Setup(Objective(sample_index=1.518, numerical_aperture=1.2), pupil_samples=48), PIXELS, SIZE)
    assert retrieve(other, [stack], FOCUS, MODES).chi2 > 1.2


def test_a_stack_of_another_shape(stack) -> None:
    with pytest.raises(ValueError, match=r"shape \(5, 25, 25\), but there are 4 stage positions"):
        retrieve(clean(), [stack], FOCUS[:4])


def test_beads_behind_one_pupil_are_fitted_together(waves) -> None:
    """Each is elsewhere, in another focus and of another brightness; together they tell more than one alone."""
    spot = VectorialSpot(Setup(OIL, zernike_waves=waves, pupil_samples=48), PIXELS, SIZE)
    rng, places, photons = np.random.default_rng(4), [(30.0, -20.0, 40.0), (-45.0, 10.0, -60.0)], (2e4, 5e3)
    stacks = []
    for (x, y, focus), light in zip(places, photons, strict=True):
        images = spot(np.repeat([[x, y, 0]], 5, 0), Aberration(focus_nm=FOCUS + focus))
        stacks.append(rng.poisson(light * images + 20).astype(float))
    alone, both = retrieve(clean(), stacks[:1], FOCUS, MODES), retrieve(clean(), stacks, FOCUS, MODES)
    assert both.converged
    assert both.explained
    assert both.error_waves < alone.error_waves
    error = [both.zernike_waves[j] - waves[j] for j in MODES]
    assert np.linalg.norm(error) < 2.5 * both.error_waves
    for bead, (x, y, focus) in zip(both.beads, places, strict=True):
        assert (bead.x_nm, bead.y_nm, bead.focus_nm) == pytest.approx((x, y, focus), abs=15)
        assert bead.chi2 == pytest.approx(1, abs=0.1)
