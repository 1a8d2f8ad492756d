"""What a map promises: it can be shown, its steps look alike, densities grow lighter, blue-yellow eyes suffice."""

import numpy as np
import pytest

from stream.picture import colours


@pytest.mark.parametrize("name", colours.KNOTS)
def test_every_colour_can_be_shown(name):
    shown = colours.srgb(colours.way(name))
    assert shown.min() > -0.002
    assert shown.max() < 1.002


@pytest.mark.parametrize("name", colours.KNOTS)
def test_steps_look_equally_far_apart(name):
    steps = np.linalg.norm(np.diff(colours.way(name), axis=0), axis=1)
    assert steps.max() / steps.min() < 1.03


@pytest.mark.parametrize("name", colours.DENSITY_MAPS)
def test_a_denser_pixel_is_lighter(name):
    lightness = colours.way(name)[:, 0]
    assert (lightness[0], (np.diff(lightness) > 0).all()) == (0, True)
    assert lightness[-1] > 0.98


def test_layers_leave_lightness_to_the_density_and_need_no_red_and_green():
    lightness, _, blue_to_yellow = colours.way(colours.LAYER_MAP).T
    assert np.ptp(lightness) < 0.01
    assert (np.diff(blue_to_yellow) > 0).all()


def test_a_known_colour():
    np.testing.assert_allclose(colours.srgb(np.array([[0.627955, 0.224863, 0.125846]])), [[1, 0, 0]], atol=2e-3)
