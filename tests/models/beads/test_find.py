"""Single beads are found; what is double, cut off or saturated is named."""

import numpy as np
import pytest

from models.beads.find import find

WINDOW = 15


def stack(*beads: tuple[int, int, float], side: int = 80) -> np.ndarray:
    """Five slices with Gaussian beads at (row, column) with so many photons."""
    y, x = np.mgrid[:side, :side]
    light = np.full((5, side, side), 10.0)
    for row, column, photons in beads:
        for k, width in enumerate((3.0, 2.0, 1.4, 2.0, 3.0)):
            spot = np.exp(-((y - row) ** 2 + (x - column) ** 2) / 2 / width**2)
            light[k] += photons * spot / spot.sum()
    return np.random.default_rng(1).poisson(light).astype(float)


def test_single_beads_are_centred() -> None:
    found = find(stack((20, 30, 5000), (60, 55, 4000), (50, 15, 4500)), WINDOW)
    assert [(bead.row, bead.column) for bead in found] == [
        (pytest.approx(row, abs=1), pytest.approx(column, abs=1)) for row, column in ((20, 30), (50, 15), (60, 55))
    ]
    assert not any(bead.why_not for bead in found)
    assert found[0].light == pytest.approx(25_000, rel=0.1)


@pytest.mark.parametrize(
    ("beads", "why"),
    [
        (((40, 40, 5000), (40, 50, 5000)), "another bead 10 pixels away"),
        (((40, 3, 5000),), "over the edge"),
        (((40, 40, 20_000), (15, 15, 5000), (15, 60, 5000)), "several beads in one place"),
    ],
)
def test_what_cannot_be_used_is_named(beads: tuple[tuple[int, int, float], ...], why: str) -> None:
    assert why in find(stack(*beads), WINDOW)[0].why_not


def test_saturated_pixels_are_counted() -> None:
    saturated = np.zeros((5, 80, 80), bool)
    saturated[2, 40, 39:42] = True
    assert find(stack((40, 40, 5000)), WINDOW, saturated)[0].why_not == "3 saturated pixels"


def test_nothing_in_noise() -> None:
    assert find(stack(), WINDOW) == []


def test_a_window_larger_than_the_frames() -> None:
    with pytest.raises(ValueError, match="81 pixels does not fit into frames of 80 x 80"):
        find(stack(), 81)
