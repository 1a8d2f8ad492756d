"""The spline is the spot, and its derivatives are its own."""

import numpy as np
import pytest

from models.optics.gaussian import GaussianSpot, astigmatic, constant, free
from models.optics.low_rank import LowRankSpot
from models.optics.low_rank_build import low_rank
from models.refining.kernel import evaluate
from models.refining.spline import EXTRA, SplineSpot, spline, spline_of

ASTIGMATIC = GaussianSpot(astigmatic(120, -250, 250, 350), 100, 25)


def drawn(made: SplineSpot, x_px: float, y_px: float, z_nm: float) -> np.ndarray:
    window, side = made.window_px, made.window_px + EXTRA
    planes, rows = np.empty((2, 2, 2, side, side), "f4"), np.empty((3, 2, window, side), "f4")
    out = np.zeros((4, window, side), "f4")
    evaluate(made.coefficients, made.knot_nm, x_px, y_px, z_nm - made.z_nm[0], (planes, rows), out)
    return out[:, :, :window].astype(float)


@pytest.mark.parametrize("x_px", [-1.5, -0.3, 0.0, 0.5, 1.49])
@pytest.mark.parametrize("z_nm", [-590, -130, 0, 400])
def test_spline_and_its_derivatives_are_those_of_the_spot(x_px: float, z_nm: float) -> None:
    made = spline(ASTIGMATIC, (-600, 600), 13)
    image, by_x, by_y, by_z = drawn(made, x_px, -0.7, z_nm)
    exact, slopes = ASTIGMATIC.with_gradient(np.array([[100 * x_px, -70.0, z_nm]]))
    middle = slice(6, 19)
    for got, wanted, limit in (
        (image, exact[0], 1e-3), (by_x, 100 * slopes[0, 0], 5e-3), (by_y, 100 * slopes[0, 1], 5e-3),
        (by_z, slopes[0, 2], 2e-2),
    ):  # fmt: skip
        wanted = wanted[middle, middle]
        assert np.linalg.norm(got - wanted) < limit * np.linalg.norm(wanted)


def test_the_third_coordinate_may_be_a_width() -> None:
    made = spline(GaussianSpot(free(), 100, 25), (60, 350), 13, knot_nm=15)
    exact = GaussianSpot(constant(150), 100, 13)(np.array([[20.0, -10.0, 0.0]]))[0]
    assert np.abs(drawn(made, 0.2, -0.1, 150)[0] - exact).max() < 1e-3 * exact.max()


def test_beyond_the_spots_window_there_is_no_light() -> None:
    made = spline(GaussianSpot(constant(100), 100, 13), (-1, 1), 17)
    assert drawn(made, 0, 0, 0)[0, 0].max() < 1e-6


@pytest.fixture(scope="module")
def deep() -> LowRankSpot:
    return low_rank(GaussianSpot(astigmatic(250, -250, 250, 250), 100, 35), (-600, 600), 20, 11, reach_px=0)


def test_the_window_grows_with_the_spot(deep: LowRankSpot) -> None:
    made = spline_of(deep)
    assert made.window_px > 13
    image = drawn(made, 0, 0, 600)[0]
    assert 0.85 < image.sum() < 1


@pytest.mark.parametrize(("window_px", "same"), [(9, 9), (17, 13)])
def test_a_spot_in_another_window_is_the_same_where_it_was_known(window_px: int, same: int) -> None:
    made = spline(ASTIGMATIC, (-600, 600), 13)
    middle = [slice((side - same) // 2, (side + same) // 2) for side in (window_px, 13)]
    other, before = drawn(made.in_window(window_px), 0.4, -0.7, 130), drawn(made, 0.4, -0.7, 130)
    inner = slice(2, same - 2)
    other, before = other[:, middle[0], middle[0]], before[:, middle[1], middle[1]]
    np.testing.assert_array_equal(other[:, inner, inner], before[:, inner, inner])
