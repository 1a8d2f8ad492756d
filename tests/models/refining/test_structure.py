"""With the true background given, fits on structure reach the bound, where flat ones are off."""

import numpy as np
import pytest

from models.backgrounds.crops import border_median, cut
from models.camera import Camera
from models.localizations import Localizations
from models.optics.gaussian import GaussianSpot, astigmatic
from models.optics.render import render
from models.refining.candidates import Options
from models.refining.joint import window_corners
from models.refining.light import light_of
from models.refining.refine import Optics, refine
from models.refining.spline import spline
from models.scenes.background import structured

SPOT = GaussianSpot(astigmatic(120, -250, 250, 350), 100, 21)
SPLINE = spline(SPOT, (-600, 600), 13)
SIDE, COUNT, PHOTONS, LEVEL = 32, 250, 1500.0, 30.0
OPTICS = Optics(SPLINE, Camera(read_noise_e=0.0))
OPTIONS = Options(background_prior=0.1, frames=False, rounds=10)


def scene() -> tuple[np.ndarray, np.ndarray, np.ndarray, Localizations]:
    """Truth (n, 3) nm, background and counts (n, y, x), candidates."""
    rng = np.random.default_rng(1)
    truth = rng.uniform((1550, 1550, -300), (1650, 1650, 300), (COUNT, 3))
    background = np.stack([structured((SIDE, SIDE), LEVEL, 0.15, (8.0, 20.0), rng) for _ in range(COUNT)])
    light = render(SPOT, truth, np.full(COUNT, PHOTONS), np.arange(COUNT), (COUNT, SIDE, SIDE))
    counts = rng.poisson(light + background).astype("f4")
    start = truth + rng.normal(0, (15, 15, 40), truth.shape)
    columns = {name: start[:, k] for k, name in enumerate(("x_nm", "y_nm", "z_nm"))}
    same = {"sigma_x_nm": 15, "sigma_y_nm": 15, "sigma_z_nm": 40, "photons": PHOTONS, "sigma_photons": 80,
            "background": LEVEL, "frame": 0}  # fmt: skip
    table = Localizations(columns | {name: np.full(COUNT, value) for name, value in same.items()})
    return truth, background, counts, table


def test_the_true_background_brings_fits_to_the_bound_that_flat_ones_miss() -> None:
    truth, background, counts, table = scene()
    corner = window_corners(np.column_stack((table["x_nm"], table["y_nm"])) / 100.0, 13)
    windows = cut(background, np.arange(COUNT), corner, 13)
    flat = np.broadcast_to(border_median(cut(counts, np.arange(COUNT), corner, 13))[:, None, None], windows.shape)
    pull, good = {}, {}
    for name, given in {"none": None, "flat": flat, "true": windows}.items():
        found = refine(counts, np.arange(COUNT), table, np.ones(COUNT, bool), OPTICS, "all", OPTIONS, given)
        error = np.column_stack([found[axis] for axis in ("x_nm", "y_nm", "z_nm")]) - truth
        sigma = np.column_stack([found[f"sigma_{axis}"] for axis in ("x_nm", "y_nm", "z_nm")])
        good[name] = found["flags"] == 1
        pull[name] = np.sqrt(np.mean((error / sigma)[good[name]] ** 2, axis=0))
    assert good["true"].mean() > 0.95
    assert (np.abs(pull["true"] - 1) < 0.12).all()
    assert good["flat"].mean() < 0.6 * good["true"].mean()  # chi-square tells most of them
    assert (pull["none"] > 1.3).any()


def test_a_flat_background_is_no_structure() -> None:
    _, _, counts, table = scene()
    given = np.full((COUNT, 13, 13), LEVEL, "f4")
    a, b = (
        refine(counts, np.arange(COUNT), table, np.ones(COUNT, bool), OPTICS, "all", OPTIONS, background)
        for background in (None, given)
    )
    np.testing.assert_allclose(a["x_nm"], b["x_nm"], atol=1e-3)


def test_the_light_of_emitters_is_that_of_the_spot() -> None:
    position = np.array([[15.3, 16.1, -100.0], [25.0, 5.0, 200.0]])
    light = light_of(SPLINE, position, np.array([1000.0, 500.0]), (SIDE, SIDE))
    exact = render(SPOT, position * [100, 100, 1], np.array([1000.0, 500.0]), np.zeros(2, int), (1, SIDE, SIDE))[0]
    assert np.abs(light - exact).max() < 0.01 * exact.max()
    assert light.sum() == pytest.approx(exact.sum(), rel=0.05)
