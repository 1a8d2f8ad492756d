"""Structured background has its level, its contrast and its spatial periods; haze follows the structure."""

import numpy as np
import pytest

from models.scenes.background import haze, perlin, structured


@pytest.mark.parametrize("period", [8.0, 20.0])
def test_the_spectrum_lies_at_the_stated_period(period: float) -> None:
    side = 256
    power = np.mean(
        [np.abs(np.fft.fft2(perlin((side, side), period, np.random.default_rng(k)))) ** 2 for k in range(6)], axis=0
    )
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side)))
    near = (frequency > 0.3 / period) & (frequency < 1.5 / period)
    assert power[near].sum() > 0.75 * power.sum()
    assert power[frequency > 3 / period].sum() < 0.02 * power.sum()


def test_noise_is_bounded_and_centred() -> None:
    noise = perlin((200, 200), 11.0, np.random.default_rng(1))
    assert np.abs(noise).max() <= 1
    assert abs(noise.mean()) < 0.05


def test_level_and_contrast() -> None:
    made = structured((128, 160), 40.0, 0.2, (10.0, 30.0), np.random.default_rng(2))
    assert made.mean() == pytest.approx(40, rel=0.1)
    assert made.std() == pytest.approx(8, rel=0.15)
    assert made.min() >= 0
    np.testing.assert_array_equal(structured((4, 5), 7.0, 0.0, (10.0,), np.random.default_rng(2)), 7)


def test_finer_than_pixels_is_refused() -> None:
    with pytest.raises(ValueError, match="period_px = 1"):
        perlin((8, 8), 1.0, np.random.default_rng(1))


def test_haze_glows_where_the_structure_is() -> None:
    left = np.column_stack((np.full(500, 20.0), np.linspace(0, 100, 500)))
    glow = haze(left, (100, 100), 5.0, 10.0)
    assert glow.mean() == pytest.approx(5, rel=1e-3)
    assert glow[:, 20].mean() > 10 * glow[:, 80].mean()
