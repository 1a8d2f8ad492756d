"""Structure that no few modes have is found in phase and amplitude, and gradients are those of the cost."""

from dataclasses import replace

import numpy as np
import pytest

from models.fitting.pixelwise import Pixelwise, pixelwise
from models.fitting.retrieval import retrieve
from models.optics.objective import Objective
from models.optics.propagator import Setup
from models.optics.vectorial import Aberration, VectorialSpot

SETUP = Setup(Objective(sample_index=1.518), pupil_samples=48)
FOCUS, SIZE, PIXEL_NM = np.linspace(-800, 800, 7), 25, 100.0
NONE = np.zeros((SIZE, SIZE))
PLACES = ((20.0, -10.0, 30.0), (-30.0, 15.0, -40.0))


def ripples(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return ripples of phase, and an amplitude that falls towards the edge."""
    return 1.2 * np.exp(-0.5 * (x**2 + y**2)) * np.exp(0.6j * np.cos(7 * x + 3 * y))


def stacks(setup: Setup, photons: float, seed: int = 2) -> list[np.ndarray]:
    spot, rng, result = VectorialSpot(setup, PIXEL_NM, SIZE), np.random.default_rng(seed), []
    for x, y, focus in PLACES:
        images = spot(np.repeat([[x, y, 0.0]], len(FOCUS), 0), Aberration(FOCUS + focus))
        result.append(rng.poisson(photons * images + 20).astype(float))
    return result


def clean(**more: object) -> VectorialSpot:
    return VectorialSpot(replace(SETUP, **more), PIXEL_NM, SIZE)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def rippled() -> list[np.ndarray]:
    return stacks(replace(SETUP, mask=ripples), 5e4)


@pytest.fixture(scope="module")
def found(rippled: list[np.ndarray]) -> Pixelwise:
    return pixelwise(clean(), rippled, FOCUS, PLACES, (NONE, NONE))


def test_ripples_and_a_darker_edge_come_back(found: Pixelwise, rippled: list[np.ndarray]) -> None:
    modes = retrieve(clean(), rippled, FOCUS, tuple(range(5, 29)), places_nm=PLACES)
    assert modes.chi2 > 2  # 24 modes do not say it
    assert found.converged
    assert found.chi2 == pytest.approx(1, abs=0.1)
    pupil = clean().propagator.pupil
    inside = np.hypot(pupil.x, pupil.y) < 0.95
    ratio = (found.pupil(pupil.x, pupil.y) / ripples(pupil.x, pupil.y))[inside]
    gauge = np.stack((np.ones(len(ratio)), pupil.x[inside], pupil.y[inside], pupil.kz_immersion.real[inside]), 1)
    error = np.angle(ratio * np.exp(-1j * np.angle(ratio.mean())))
    error -= gauge @ np.linalg.lstsq(gauge, error, rcond=None)[0]  # piston is free; tilt and defocus are the places
    assert error.std() < 0.08  # of ripples of 0.6 / sqrt 2 rad
    assert np.std(np.abs(ratio)) < 0.06
    for bead, place in zip(found.beads, PLACES, strict=True):
        assert bead.place_nm[2] - found.beads[0].place_nm[2] == pytest.approx(place[2] - PLACES[0][2], abs=5)


def test_no_tilt_nor_defocus_and_as_much_light(found: Pixelwise) -> None:
    pupil = clean().propagator.pupil
    light = pupil.products[:3].sum(0)
    inside = light > 0
    for move in (np.ones_like(pupil.x), pupil.x, pupil.y, pupil.kz_immersion.real):
        assert abs((found.pupil.phase_rad * move)[inside].mean()) < 1e-6 * np.abs(move).max()
    assert (light * found.pupil.amplitude**2).sum() == pytest.approx(light.sum(), rel=1e-9)


def test_a_pupil_without_structure_stays_nearly_flat() -> None:
    """Dim beads: the prior, not the noise, says what the cells are."""
    found = pixelwise(clean(), stacks(SETUP, 2e3), FOCUS, PLACES, (NONE, NONE))
    inside = clean().propagator.pupil.products[0] > 0
    assert found.pupil.phase_rad[inside].std() < 0.12
    assert found.pupil.amplitude[inside].std() < 0.12


def test_images_through_the_map_are_those_of_the_fit(found: Pixelwise) -> None:
    """What is written and drawn again is what was fitted."""
    bead, spot = found.beads[0], clean(mask=found.pupil)
    at = np.repeat([[bead.x_nm, bead.y_nm, 0.0]], len(FOCUS), 0)
    images = spot(at, Aberration(FOCUS + bead.focus_nm))
    shapes = bead.model - bead.background[:, None, None]
    shapes /= shapes.sum((1, 2), keepdims=True)
    np.testing.assert_allclose(images / images.sum((1, 2), keepdims=True), shapes, atol=1e-6 * shapes.max())


def test_gradient_by_cells_is_that_of_finite_differences() -> None:
    spot, rng = VectorialSpot(replace(SETUP, height_nm=200, blur_nm=60), PIXEL_NM, 11), np.random.default_rng(1)
    position, focus = rng.normal(0, 30, (3, 3)), rng.normal(0, 200, 3)
    weights, shape = rng.normal(size=(3, 11, 11)), spot.propagator.pupil.x.shape
    phase = rng.normal(0, 0.3, (3, *shape)) - 1j * rng.normal(0, 0.1, (3, *shape))

    def total(change: complex, cell: tuple[int, int]) -> float:
        moved = phase.copy()
        moved[:, *cell] += change
        return float((weights * spot(position, Aberration(focus, moved))).sum())

    by_phase, by_amplitude = spot.pull_back(position, Aberration(focus, phase), lambda _, cut: weights[cut])
    for cell in ((20, 30), (10, 12), (24, 4)):
        for gradient, unit in ((by_phase, 1e-4), (by_amplitude, -1e-4j)):
            slope = (total(unit, cell) - total(-unit, cell)) / 2e-4
            assert gradient[:, *cell].sum() == pytest.approx(slope, rel=1e-5, abs=1e-12)
