"""A map of the pupil returns its own cells, is smooth between them, and refuses what is no transmission."""

import numpy as np
import pytest

from models.optics.pupil_map import PupilMap


def cells(n: int) -> tuple[np.ndarray, np.ndarray]:
    return np.meshgrid(*[(np.arange(n) + 0.5) * 2 / n - 1] * 2)


def test_cells_come_back_and_a_plane_is_a_plane_on_any_grid() -> None:
    x, y = cells(32)
    made = PupilMap(3 * x - y, 1 + 0.2 * y)
    np.testing.assert_allclose(made(x, y), (1 + 0.2 * y) * np.exp(1j * (3 * x - y)), rtol=1e-12)
    x, y = (0.9 * values for values in cells(47))
    np.testing.assert_allclose(made(x, y), (1 + 0.2 * y) * np.exp(1j * (3 * x - y)), rtol=1e-12)


@pytest.mark.parametrize(
    ("phase", "amplitude", "why"),
    [
        (np.zeros((4, 5)), np.ones((4, 5)), "the same N"),
        (np.zeros((4, 4)), np.ones((5, 5)), "the same N"),
        (np.full((4, 4), np.nan), np.ones((4, 4)), "finite"),
        (np.zeros((4, 4)), np.full((4, 4), -0.5), "amplitude of -0.5"),
    ],
)
def test_what_is_no_transmission(phase: np.ndarray, amplitude: np.ndarray, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        PupilMap(phase, amplitude)
