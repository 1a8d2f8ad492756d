"""Even positions are called even as often as is stated, also where molecules repeat; pulled ones are named."""

import numpy as np
import pytest

from stream.quality.subpixel import FALSE_ALARM, HARMLESS_PX, PixelPlaces
from stream.quality.verdict import of_places

SIDE_PX = 64
PIXEL_NM = 100.0


def places_of(place_px: np.ndarray, side_px: int = SIDE_PX) -> PixelPlaces:
    found = PixelPlaces(side_px, side_px, PIXEL_NM)
    found.add(*(PIXEL_NM * place_px).astype(np.float32).T)
    return found


def repeated(rng: np.random.Generator, emitters: int, times: float) -> np.ndarray:
    """Emitters anywhere, each found a very different number of times, within 10 nm."""
    place = np.repeat(rng.uniform(0, SIDE_PX, (emitters, 2)), rng.geometric(1 / times, emitters), axis=0)
    return place + rng.normal(0, 0.1, place.shape)


@pytest.mark.parametrize("times", [1, 10])
def test_a_thousand_even_samples_are_called_even(times: float) -> None:
    axes = [
        axis for seed in range(1000) for axis in places_of(repeated(np.random.default_rng(seed), 300, times)).axes()
    ]
    p_values = np.array([axis.p_value for axis in axes])
    assert sum(not axis.flat for axis in axes) == 0  # 2,000 times FALSE_ALARM are 0.02
    assert p_values.min() > FALSE_ALARM
    assert (p_values < 0.05).mean() < 0.07  # what is called rare is no more frequent than that
    assert (p_values < 0.01).mean() < 0.019


def lines(rng: np.random.Generator, number: int, side_px: int) -> np.ndarray:
    """Localizations on straight filaments that cross the field."""
    start, angle = rng.uniform(0, side_px, (number, 2)), rng.uniform(0, np.pi, number)
    which, along = rng.integers(0, number, 20_000), rng.uniform(-side_px, side_px, 20_000)
    place = start[which] + along[:, None] * np.column_stack((np.cos(angle), np.sin(angle)))[which]
    return place + rng.normal(0, 0.1, place.shape)


@pytest.mark.parametrize("number", [5, 20])
def test_filaments_are_no_artefact(number: int) -> None:
    axes = [
        axis
        for seed in range(200)
        for axis in places_of(lines(np.random.default_rng(seed), number, 256), side_px=256).axes()
    ]
    assert sum(not axis.flat for axis in axes) <= 1


def test_a_wave_of_a_thousandth_is_harmless_at_ten_million() -> None:
    rng, found = np.random.default_rng(0), PixelPlaces(SIDE_PX, SIDE_PX, PIXEL_NM)
    for _ in range(10):
        u = rng.uniform(0, SIDE_PX, (1_000_000, 2))
        found.add(*(PIXEL_NM * (u + 0.001 / (2 * np.pi) * np.sin(2 * np.pi * u))).astype(np.float32).T)
    assert found.rows > 9_990_000
    x, y = found.axes()
    assert x.pull_px < HARMLESS_PX / 10
    assert x.flat
    assert y.flat
    assert of_places((x, y), PIXEL_NM)["flat"] is True


@pytest.mark.parametrize(
    ("phase", "harmonic", "words"),
    [
        (0, 1, "pixel centres, pulled by up to"),
        (np.pi, 1, "pixel borders, pulled by up to"),
        (np.pi / 2, 1, "the left of pixel centres"),
        (-np.pi / 2, 1, "the right of pixel centres"),
        (0, 2, "a quarter pixel from the centres"),
        (np.pi, 2, "pixel centres and borders"),
    ],
)
def test_where_positions_are_pulled_to_is_named(phase: float, harmonic: int, words: str) -> None:
    u = np.random.default_rng(1).uniform(0, SIDE_PX, (20_000, 2))
    u[:, 0] += 0.05 * np.sin(2 * np.pi * harmonic * u[:, 0] + phase)
    axes = places_of(u).axes()
    told = of_places(axes, PIXEL_NM)
    assert told["flat"] is False
    assert told["verdict"].startswith("x positions gather at ")
    assert words in told["verdict"]
    assert "an artefact of" in told["verdict"]
    assert "y positions" not in told["verdict"]
    assert axes[0].pull_px == pytest.approx(0.05, rel=0.15)
    assert len(told["x"]) == len(told["y"]) == 20
    assert sum(told["x"]) == pytest.approx(1, abs=1e-3)


def test_positions_at_the_centres_alone() -> None:
    u = np.floor(np.random.default_rng(1).uniform(0, SIDE_PX, (2000, 2))) + 0.5
    told = of_places(places_of(u).axes(), PIXEL_NM)
    assert told["verdict"].startswith("x positions gather at pixel centres")
    assert "y positions gather at pixel centres" in told["verdict"]


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_too_few_places_are_not_judged(rows: int) -> None:
    axes = places_of(np.full((rows, 2), 3.3)).axes()
    assert axes is None
    assert of_places(axes, PIXEL_NM)["flat"] is None


def test_positions_outside_the_field_and_no_numbers_are_passed_over() -> None:
    found = places_of(np.array([[-0.1, 5], [5, np.nan], [64, 5], [5, 64.5], [1, 1]]))
    assert found.rows == 1
