"""The resolution of samples whose Fourier ring correlation is known in closed form."""

import numpy as np
import pytest

from stream.quality.frc import THRESHOLD, Curve, correlate

SIDE_NM = 5000.0


def expected(per_half: float, sigma_nm: float, pixel_nm: float, frequency_per_nm: np.ndarray) -> np.ndarray:
    """Emitters anywhere, each a Poisson number of times in each half, scattered by sigma and by the pixels.

    F1 F2* has M lambda^2 g, |F|^2 has M (lambda + lambda^2 g), with g = exp(-4 pi^2 sigma^2 q^2) and the pixels'
    transform squared: the mean over a ring is taken along the axes' means.
    """
    angle = np.linspace(0, np.pi / 2, 91)[:, None]
    pixels = [np.sinc(frequency_per_nm * pixel_nm * wave(angle)) ** 2 for wave in (np.cos, np.sin)]
    g = (per_half * np.exp(-4 * np.pi**2 * sigma_nm**2 * frequency_per_nm**2) * pixels[0] * pixels[1]).mean(axis=0)
    return g / (1 + g)


def halves(seed: int, per_half: float, sigma_nm: float, pixel_nm: float, emitters: int = 8000) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    emitter = rng.uniform(0, SIDE_NM, (emitters, 2))
    bins = round(SIDE_NM / pixel_nm)
    pictures = []
    for _ in range(2):
        place = np.repeat(emitter, rng.poisson(per_half, emitters), axis=0)
        place = place + rng.normal(0, sigma_nm, place.shape)
        pictures.append(np.histogram2d(place[:, 1], place[:, 0], bins, ((0, SIDE_NM), (0, SIDE_NM)))[0])
    return pictures


@pytest.mark.parametrize(
    ("per_half", "sigma_nm", "pixel_nm"), [(5, 10, 5), (5, 10, 2.5), (3, 15, 5), (10, 8, 2.5), (1, 20, 5)]
)
def test_blinking_emitters(per_half: float, sigma_nm: float, pixel_nm: float) -> None:
    curves = [correlate(*halves(seed, per_half, sigma_nm, pixel_nm), pixel_nm) for seed in range(4)]
    frequency = curves[0].frequency_per_nm
    known = expected(per_half, sigma_nm, pixel_nm, frequency)
    np.testing.assert_allclose(np.mean([c.smooth for c in curves], axis=0)[20:], known[20:], atol=0.05)
    resolution = 1 / np.interp(-THRESHOLD, -known, frequency)
    assert np.mean([c.resolution_nm for c in curves]) == pytest.approx(resolution, rel=0.03)
    if pixel_nm == 2.5:  # small pixels: 2 pi sigma / sqrt(log(6 lambda))
        assert resolution == pytest.approx(2 * np.pi * sigma_nm / np.sqrt(np.log(6 * per_half)), rel=0.01)


def test_a_field_need_not_be_square() -> None:
    whole = halves(0, 5, 10, 5)
    part = correlate(*(picture[:400] for picture in whole), 5)
    assert part.resolution_nm == pytest.approx(correlate(*whole, 5).resolution_nm, rel=0.08)


def test_halves_without_anything_in_common_have_no_resolution() -> None:
    for seed in range(20):
        one, other = halves(seed, 2, 10, 5)[0], halves(1000 + seed, 2, 10, 5)[1]
        curve = correlate(one, other, 5)
        assert curve.resolution_nm is None
        assert not curve.agrees_throughout


def test_the_same_half_twice_agrees_throughout() -> None:
    one = halves(0, 5, 10, 5)[0]
    curve = correlate(one, one, 5)
    np.testing.assert_allclose(curve.correlation, 1, atol=1e-5)
    assert curve.resolution_nm is None
    assert curve.agrees_throughout


def test_empty_pictures_and_small_ones() -> None:
    empty = np.zeros((100, 100))
    assert correlate(empty, empty, 5).resolution_nm is None
    assert correlate(empty[:20, :20], empty[:20, :20], 5) is None


def test_the_crossing_lies_on_the_line_between_two_rings() -> None:
    frequency = np.arange(40) / 1000
    smooth = np.where(np.arange(40) < 20, 0.5, 0.0)
    curve = Curve(frequency, smooth, smooth)
    assert 1 / curve.resolution_nm == pytest.approx(0.019 + 0.001 * (0.5 - THRESHOLD) / 0.5)


def test_what_a_few_rings_have_in_common_by_chance_is_no_resolution() -> None:
    ring = np.arange(40)
    for last, common in ((2, 1.0), (4, 0.5)):
        by_chance = np.where(ring < last, common, 0.0)
        assert Curve(ring / 1000, by_chance, by_chance).resolution_nm is None
        clear = np.where(ring < 2 * last + 1, common, 0.0)
        assert Curve(ring / 1000, clear, clear).resolution_nm is not None


@pytest.mark.parametrize("rings", [33, 200, 201, 1025])
def test_thinned_to_so_many_points(rings: int) -> None:
    frequency = np.arange(rings) / 1e4
    shown, _ = Curve(frequency, frequency, 2 * frequency).thinned(200)
    assert min(rings, 100) <= len(shown) <= 200
    assert (np.diff(shown) > 0).all()
