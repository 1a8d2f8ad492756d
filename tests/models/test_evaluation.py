"""The evaluation is fair: a perfect localizer is perfect, a bad one is not, and the gold standard reaches the bound."""

import numpy as np
import pytest

from models.camera import Camera
from models.evaluation.artefacts import false_positives, histogram_in_pixel
from models.evaluation.classical import classical
from models.evaluation.conditions import Conditions, in_focus
from models.evaluation.dense import dense, scene
from models.evaluation.isolated import bias_map, by_depth, calibration, isolated, precision
from models.localizations import Localizations, empty
from models.optics.gaussian import GaussianSpot, astigmatic
from models.optics.low_rank_build import low_rank

FLAT = in_focus()


def deep() -> Conditions:
    exact = GaussianSpot(astigmatic(120, -250, 250, 350), 100, 25)
    return Conditions(low_rank(exact, (-600, 600), 20, 15, reach_px=0), 500.0)


@pytest.mark.parametrize("conditions", [FLAT, deep()], ids=["2d", "3d"])
def test_maximum_likelihood_reaches_the_bound_and_says_so(conditions: Conditions) -> None:
    found = isolated(classical(conditions), conditions, 3000.0, 300, 1).within(400)
    assert len(found.truth) > 230
    for ratio, pull in zip(precision(found)["over_bound"], calibration(found)["pull"], strict=True):
        assert 0.9 < ratio < 1.15
        assert 0.9 < pull < 1.12
    assert max(precision(found)["outliers"]) < 0.02
    assert all(0.6 < share < 0.75 for share in calibration(found)["within_1_sigma"])


def offset(nm: float):
    """The gold standard, off by some nm in x, with an uncertainty that is half of what it should be."""
    locate = classical(FLAT)

    def biased(stack: np.ndarray, camera: Camera) -> Localizations:
        table = locate(stack, camera)
        columns = {name: table[name] for name in table}
        sigma = {f"sigma_{axis}": table[f"sigma_{axis}"] / 2 for axis in ("x_nm", "y_nm")}
        return Localizations(columns | sigma | {"x_nm": np.asarray(table["x_nm"]) + nm})

    return biased


def test_bias_and_wrong_uncertainties_show() -> None:
    found = isolated(offset(15.0), FLAT, 3000.0, 200, 2)
    assert precision(found)["bias_nm"][0] == pytest.approx(15, abs=1)
    assert precision(found)["over_bound"][0] > 3
    assert calibration(found)["pull"][1] == pytest.approx(2, rel=0.15)
    bias = bias_map(found, 100.0)
    assert bias["x_nm"]["rms_nm"] == pytest.approx(15, abs=1.5)
    assert bias["y_nm"]["rms_nm"] < 3 * bias["y_nm"]["rms_by_chance_nm"]


def test_slices_of_depth_hold_everybody_once() -> None:
    found = isolated(classical(deep()), deep(), 3000.0, 100, 3)
    slices = by_depth(found, np.linspace(-500, 500, 6))
    assert sum(row["found"] for row in slices) == len(found.truth)
    assert [row["z_nm"] for row in slices] == [-400, -200, 0, 200, 400]


def test_a_localizer_that_knows_the_truth_scores_one_and_a_blind_one_nothing() -> None:
    stack, truth = scene(FLAT, 0.5, 2000.0, 10, 4)
    assert dense(lambda *_: truth, FLAT, 0.5, 2000.0, 10, 4)["jaccard"] == 1
    assert dense(lambda *_: empty(), FLAT, 0.5, 2000.0, 10, 4)["jaccard"] == 0
    assert stack.shape == (10, 64, 64)
    assert truth["photons"].mean() > 500


def test_empty_frames_are_empty_and_what_is_found_there_is_counted() -> None:
    assert false_positives(lambda *_: empty(), FLAT, 2, 1) == 0
    one = Localizations({"frame": np.zeros(1), "x_nm": np.zeros(1), "y_nm": np.zeros(1)})
    assert false_positives(lambda *_: one, FLAT, 2, 1) == pytest.approx(3 / (6 * 128**2) * 1e5)


def test_preferred_places_in_the_pixel_show() -> None:
    def to_centres(stack: np.ndarray, camera: Camera) -> Localizations:
        table = classical(FLAT)(stack, camera)
        columns = {name: table[name] for name in table}
        return Localizations(columns | {"x_nm": np.floor(np.asarray(table["x_nm"]) / 100) * 100 + 50})

    found = histogram_in_pixel(to_centres, FLAT, 20, 5)
    assert found["found_x_nm"] > 20 > 4 > found["found_y_nm"]
