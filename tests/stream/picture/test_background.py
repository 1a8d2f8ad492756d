"""The picture of the background is that of the molecules near each cell, and forgets."""

import numpy as np
import pytest

from models.localizations import Localizations
from stream.picture.background import CELL_PX, MEMORY_FRAMES, BackgroundMap


def table(x_nm: np.ndarray, y_nm: np.ndarray, background: np.ndarray) -> Localizations:
    return Localizations({
        "frame": np.zeros(len(x_nm), np.int64), "x_nm": x_nm, "y_nm": y_nm, "background": background
    })  # fmt: skip


def test_a_slope_comes_out_as_a_slope() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.uniform(0, 12_800, (2, 20_000))
    made = BackgroundMap(96, 128, 100.0)
    made.add(table(x, y, 10 + x / 1000 + rng.normal(0, 0.5, len(x))), 0)
    picture = made.picture()
    assert picture.shape == (24, 32)
    centre_nm = (np.arange(32) + 0.5) * CELL_PX * 100
    assert np.allclose(picture[:, 3:-3], (10 + centre_nm / 1000)[None, 3:-3], atol=0.3)


def test_where_no_molecule_was_nothing_is_said() -> None:
    made = BackgroundMap(64, 64, 100.0)
    made.add(table(np.array([500.0]), np.array([500.0]), np.array([20.0])), 0)
    picture = made.picture()
    assert picture[1, 1] == pytest.approx(20)
    assert np.isnan(picture[12, 12])


def test_what_is_old_fades() -> None:
    made = BackgroundMap(16, 16, 100.0)
    middle = np.array([800.0])
    made.add(table(middle, middle, np.array([10.0])), 0)
    made.add(table(middle, middle, np.array([30.0])), int(MEMORY_FRAMES))
    old = np.exp(-1)
    assert made.picture()[2, 2] == pytest.approx((30 + old * 10) / (1 + old))


def test_rows_that_say_nothing_are_passed_over() -> None:
    made = BackgroundMap(16, 16, 100.0)
    made.add(Localizations({"frame": np.zeros(1, np.int64), "x_nm": np.ones(1), "y_nm": np.ones(1)}), 0)
    made.add(table(np.array([-5.0, 800, 1e9, np.nan]), np.full(4, 800.0), np.array([9.0, np.nan, 9, 9])), 1)
    assert np.isnan(made.picture()).all()
