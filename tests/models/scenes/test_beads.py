"""Bead stacks: photons add up, and a bead broadens its image as a ball must."""

import numpy as np
import pytest

from models.optics.objective import Objective
from models.optics.propagator import Setup
from models.optics.vectorial import VectorialSpot
from models.scenes.beads import Bead, ball, bead_stack

SPOT = VectorialSpot(Setup(Objective(numerical_aperture=0.8, sample_index=1.518), pupil_samples=48), 60.0, 61)


def test_the_rule_for_a_ball_is_exact_to_degree_five() -> None:
    places, weights = ball(2.0)
    assert weights.sum() == pytest.approx(1)
    x, y, z = places.T
    assert (weights * x**2).sum() == pytest.approx(4 / 5)  # R^2 / 5
    assert (weights * z**4).sum() == pytest.approx(3 * 16 / 35)  # 3 R^4 / 35
    assert (weights * x**2 * y**2).sum() == pytest.approx(16 / 35)
    assert (weights * x * y**2 * z**2).sum() == pytest.approx(0, abs=1e-12)


def test_a_bead_broadens_its_image_by_its_own_width() -> None:
    """Variances of convolved images add: R^2 / 5 in each direction, to what changes with z over the bead."""
    u = (np.arange(61) - 30) * 60.0

    def excess(diameter: float) -> float:
        image = bead_stack(SPOT, Bead(diameter_nm=diameter, photons=1, background=0), np.zeros(1))[0]
        near = np.abs(u) < 1000
        row = image.sum(0)[near]
        return float((row * u[near] ** 2).sum() / row.sum())

    assert excess(400) - excess(0) == pytest.approx(200**2 / 5, rel=0.15)


def test_photons_and_background_are_those_put_in() -> None:
    focus = np.array([-500.0, 0, 500])
    stack = bead_stack(SPOT, Bead(x_nm=100, diameter_nm=100, photons=1e4, background=3), focus)
    light = (stack - 3).sum((1, 2))
    assert stack.shape == (3, 61, 61)
    assert ((light > 0.85e4) & (light < 1e4)).all()


def test_a_bead_without_size_is_a_point() -> None:
    stack = bead_stack(SPOT, Bead(y_nm=-40, photons=1, background=0), np.zeros(1))
    np.testing.assert_allclose(stack, SPOT(np.array([[0, -40.0, 0]])))
