"""Both files are good up to the last knot at any time, and as Picasso reads them."""

from pathlib import Path

import numpy as np
import pytest

from stream.drift.curve import Curve
from stream.drift.files import FRAMES, KNOTS, DriftFiles
from stream.errors import StorageFault


def grown(folder: Path, deep: bool, knots: int = 30) -> tuple[DriftFiles, Curve]:
    files, curve = DriftFiles(folder, 100.0), Curve(deep)
    for k in range(knots):
        curve.add(50.5 + 100 * k, np.array([10.0 * k, -5.0 * k, 3.0 * k * deep]))
        files.grow(curve)
    return files, curve


@pytest.mark.parametrize("deep", [True, False])
def test_after_each_knot_both_files_reach_up_to_it(tmp_path, deep):
    _, curve = grown(tmp_path, deep)
    frames = np.loadtxt(tmp_path / FRAMES, delimiter=" ")
    knots = np.genfromtxt(tmp_path / KNOTS, delimiter=",", names=True)
    units = (100, 100, 1)[: 3 if deep else 2]
    assert frames.shape == (2951, len(units))
    # up to the second knot the slope of the beginning was not yet known
    np.testing.assert_allclose(frames[51:] * units, curve.at(np.arange(51, 2951))[:, : len(units)], atol=1e-2)
    assert knots.dtype.names == ("frame", "x_nm", "y_nm", "z_nm")
    np.testing.assert_allclose(knots["frame"], curve.frames)
    np.testing.assert_allclose(knots["x_nm"], curve.drift_nm[:, 0])
    assert np.isnan(knots["z_nm"]).all() != deep


def test_at_the_end_there_is_a_line_for_each_frame(tmp_path):
    files, curve = grown(tmp_path, deep=True)
    files.complete(curve.started_at_zero(), 3000)
    frames = np.loadtxt(tmp_path / FRAMES, delimiter=" ")
    np.testing.assert_allclose(frames * (100, 100, 1), curve.at(np.arange(3000)), atol=1e-2)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([KNOTS, FRAMES])


def test_a_folder_that_is_gone_is_a_storage_fault(tmp_path):
    files, curve = grown(tmp_path, deep=True, knots=1)
    (tmp_path / FRAMES).unlink()
    curve.add(500, np.zeros(3))
    with pytest.raises(StorageFault, match=FRAMES):
        files.grow(curve)
