"""The curve: exact for a steady drift, level where it is not known, and tables stay as they are."""

import numpy as np
import pytest

from models.localizations import Localizations
from stream.drift.curve import Curve


def curve_of(frames: list, drift: list) -> Curve:
    curve = Curve()
    for frame, moved in zip(frames, drift, strict=True):
        curve.add(frame, np.array(moved, float))
    return curve


def test_without_a_knot_nothing_has_moved():
    assert Curve().at(np.arange(5)).tolist() == [[0.0] * 3] * 5


def test_a_steady_drift_is_exact_also_half_a_block_beyond_the_knots():
    frames = np.arange(50, 1000, 100.0)
    curve = curve_of(frames, np.outer(frames, (0.5, -0.25, 0.1)))
    at = np.arange(1000)
    np.testing.assert_allclose(curve.at(at), np.outer(at, (0.5, -0.25, 0.1)), atol=1e-9)


def test_a_slip_is_not_carried_on():
    curve = curve_of([50, 150, 250], [(0, 0, 0), (1, 0, 0), (61, -60, 0)])
    np.testing.assert_allclose(curve.at(np.array([350, 10_000])), [[62, -60, 0]] * 2)
    assert curve_of([50, 150], [(0, 0, 0), (60, 0, 0)]).at(np.array([500]))[0, 0] == 60


def test_it_grows_and_starts_at_zero():
    curve = curve_of(range(1000), [(k + 7, 2 * k, -k) for k in range(1000)])
    moved = curve.started_at_zero()
    assert (len(moved), moved.drift_nm[0].tolist(), moved.drift_nm[-1].tolist()) == (1000, [0, 0, 0], [999, 1998, -999])


@pytest.mark.parametrize("deep", [True, False])
def test_a_table_is_corrected_and_stays_as_it_is(deep):
    columns = {"frame": np.array([0, 100]), "x_nm": np.array([500.0, 600.0]), "y_nm": np.array([1.0, 2.0])}
    columns |= {"photons": np.array([9.0, 8.0])} | ({"z_nm": np.array([0.0, -50.0])} if deep else {})
    table = Localizations(columns)
    corrected = curve_of([0, 100], [(0, 0, 0), (10, -20, 30)]).corrected(table)
    assert list(corrected) == list(table)
    assert corrected["x_nm"].tolist() == [500, 590]
    assert corrected["y_nm"].tolist() == [1, 22]
    assert not deep or corrected["z_nm"].tolist() == [0, -80]
    assert table["x_nm"].tolist() == [500, 600]
