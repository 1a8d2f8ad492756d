"""The error of an image: none of the truth whatever its scale, all of it of nothing, and more the farther off."""

import numpy as np
import pytest

from models.camera import Camera
from models.evaluation.conditions import in_focus
from models.images.scoring import by_density, nmse, sum_image, true_image
from models.localizations import Localizations

TRUTH = (np.random.default_rng(0).random((200, 160)) < 0.01).astype(np.float32)


def test_the_truth_has_no_error_at_any_scale() -> None:
    assert nmse(17 * TRUTH, TRUTH, 1.0) == pytest.approx(0, abs=1e-12)
    assert nmse(np.zeros_like(TRUTH), TRUTH, 1.0) == 1


def test_the_error_grows_with_the_distance_and_a_coarse_one_forgives() -> None:
    errors = [nmse(np.roll(TRUTH, shift, axis=1), TRUTH, 1.0) for shift in (1, 2, 4)]
    assert errors == sorted(errors)
    assert nmse(np.roll(TRUTH, 2, axis=1), TRUTH, 3.0) < errors[1]


def test_the_true_image_counts_what_shone_brightly_enough() -> None:
    table = Localizations({
        "frame": [0, 0, 1], "x_nm": [50.0, 812.4, 50.0], "y_nm": [0.0, 130.0, 0.0], "photons": [900.0, 900.0, 10.0],
    })  # fmt: skip
    image = true_image(table, (4, 9), 100.0, least_photons=300)
    assert image.shape == (32, 72)
    assert np.argwhere(image).tolist() == [[0, 4], [10, 64]]


def test_contestants_see_the_same_scene_and_knowing_wins() -> None:
    seen = []

    def nothing(stack: np.ndarray, camera: Camera) -> np.ndarray:
        seen.append(stack)
        return np.zeros((512, 512), np.float32)

    conditions = in_focus()
    found = by_density({"one": nothing, "two": nothing, "sum": sum_image(conditions)}, conditions, 3, (0.5,))
    assert np.array_equal(*seen)
    assert found["one"]["0.5"] == {"nmse": 1.0, "nmse_coarse": 1.0, "counted": 0.0}
    assert found["sum"]["0.5"]["nmse_coarse"] < found["sum"]["0.5"]["nmse"] < 1
