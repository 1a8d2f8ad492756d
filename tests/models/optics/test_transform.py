"""From points to pixels: the filter is the integral over the pixel and the blur, for what an image can hold."""

import numpy as np
import pytest

from models.optics.gaussian import GaussianSpot, constant
from models.optics.transform import filter_pixels, pixel_taps


@pytest.mark.parametrize("band", [0.5, 1.5, 2.3])
@pytest.mark.parametrize("blur_px", [0.0, 0.3, 0.8, 2.0])
def test_each_wave_is_damped_as_pixel_and_blur_do(band: float, blur_px: float) -> None:
    taps = np.array(pixel_taps(band, blur_px))
    assert taps.sum() == pytest.approx(1)
    places = np.arange(len(taps)) - len(taps) // 2
    for k in np.linspace(0.05, 0.98, 7) * band:
        wanted = np.sinc(k / 2 / np.pi) * np.exp(-((blur_px * k) ** 2) / 2)
        assert (taps * np.cos(k * places)).sum() == pytest.approx(wanted, abs=6e-3)


def test_a_gaussian_becomes_pixels_and_wider() -> None:
    """Variances add: 150 nm of points and 80 nm of blur are 170 nm."""
    u = (np.arange(31 + 12) - 21) * 100.0
    points = np.exp(-(u[:, None] ** 2 + u**2) / (2 * 150**2)) / (2 * np.pi * 1.5**2)
    taps = pixel_taps(2.0, 0.8)
    made = filter_pixels(points, taps)
    assert made.shape == (44 - len(taps), 44 - len(taps))
    size = made.shape[0] if made.shape[0] % 2 else made.shape[0] - 1
    middle = (made.shape[0] - size) // 2
    exact = GaussianSpot(constant(170), 100, size)(np.zeros((1, 3)))[0]
    np.testing.assert_allclose(made[middle : middle + size, middle : middle + size], exact, atol=2e-3 * exact.max())


def test_too_much_blur() -> None:
    with pytest.raises(ValueError, match="blur of 5 pixels"):
        pixel_taps(2.0, 5.0)
