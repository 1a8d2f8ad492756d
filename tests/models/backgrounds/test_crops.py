"""Crops lie around their emitter, and what they say lies rightly on windows."""

import numpy as np
import pytest

from models.backgrounds.crops import border_median, corners, cut, onto_windows

RNG = np.random.default_rng(1)
FRAMES = RNG.random((2, 40, 50), np.float32)


@pytest.mark.parametrize("side", [12, 20])
def test_an_emitter_is_within_half_a_pixel_of_the_centre(side: int) -> None:
    xy = RNG.uniform(10, 30, (200, 2))
    off = xy - (corners(xy, side)[:, ::-1] + side / 2)
    assert np.abs(off).max() <= 0.5


def test_a_window_of_one_pixel_less_lies_inside_its_crop() -> None:
    """Windows of fits begin half of their odd edge before the emitter's pixel."""
    xy, side = RNG.uniform(10, 30, (200, 2)), 20
    first = np.floor(xy[:, ::-1]).astype(int) - (side - 1) // 2 - corners(xy, side)
    assert set(np.unique(first)) <= {0, 1}


def test_what_is_cut_comes_back_and_edges_are_repeated() -> None:
    corner, frame = np.array([[5, 7], [-3, 44]]), np.array([1, 0])
    crops = cut(FRAMES, frame, corner, 10)
    np.testing.assert_array_equal(crops[0], FRAMES[1, 5:15, 7:17])
    np.testing.assert_array_equal(crops[1, :, -1], FRAMES[0, np.clip(np.arange(-3, 7), 0, None), -1])
    windows = onto_windows(crops, corner, corner + 1, 9)
    np.testing.assert_array_equal(windows, crops[:, 1:, 1:])
    assert onto_windows(crops, corner, corner - 2, 3)[0, 0, 0] == crops[0, 0, 0]


def test_the_border_does_not_see_the_middle() -> None:
    crops = np.full((1, 6, 6), 3.0)
    crops[:, 1:-1, 1:-1] = 100
    assert border_median(crops).tolist() == [3]
