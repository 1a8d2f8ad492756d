"""Compiled fits reach the bound, use all frames, tell neighbours apart, and replace nothing when they are bad."""

from dataclasses import replace

import numpy as np
import pytest

from models.camera import Camera
from models.localizations import Localizations
from models.optics.crlb import spot_bounds
from models.optics.gaussian import GaussianSpot, astigmatic
from models.optics.render import render
from models.refining.candidates import Candidates, Fitted, Options
from models.refining.joint import fit
from models.refining.refine import REFINED, Optics, refine
from models.refining.spline import spline

SPOT = GaussianSpot(astigmatic(120, -250, 250, 350), 100, 21)
SPLINE = spline(SPOT, (-600, 600), 13)
SIDE, BACKGROUND, READ_NOISE = 32, 10.0, 1.5
NM = np.array([100, 100, 1.0])
ALONE = Options(prior=1e3, background_prior=1e3, frames=False, neighbours=False, rounds=12)


def frames(truth_nm: np.ndarray, photons: np.ndarray, frame: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Camera frames (t, y, x) in photo-electrons."""
    rng = np.random.default_rng(seed)
    light = render(SPOT, truth_nm, photons, frame, (count, SIDE, SIDE)) + BACKGROUND
    return (rng.poisson(light) + rng.normal(0, READ_NOISE, light.shape)).astype("f4")


def candidates(
    truth_nm: np.ndarray, photons: np.ndarray, frame: np.ndarray, off_nm: np.ndarray, seed: int
) -> Candidates:
    rng = np.random.default_rng(seed)
    start = truth_nm + rng.normal(0, off_nm, truth_nm.shape)
    sigma = np.broadcast_to(off_nm / NM, truth_nm.shape).copy()
    n = len(truth_nm)
    return Candidates(frame, start / NM, sigma, photons * rng.lognormal(0, 0.1, n), np.full(n, BACKGROUND))


def everyone(counts: np.ndarray, given: Candidates, options: Options) -> Fitted:
    variance = np.full((SIDE, SIDE), READ_NOISE**2, "f4")
    return fit(counts, variance, SPLINE, given, np.ones(len(given.frame), bool), options)


def singles(n: int, photons: float, seed: int) -> tuple[np.ndarray, np.ndarray, Candidates]:
    rng = np.random.default_rng(seed)
    truth = rng.uniform((1550, 1550, -400), (1650, 1650, 400), (n, 3))
    light, frame = np.full(n, photons), np.arange(n)
    return truth, frames(truth, light, frame, n, seed), candidates(truth, light, frame, np.array([20, 20, 50.0]), seed)


@pytest.mark.parametrize("photons", [1000.0, 5000.0])
def test_isolated_emitters_reach_the_bound_and_say_so(photons: float) -> None:
    truth, counts, given = singles(600, photons, 1)
    fitted = everyone(counts, given, ALONE)
    middle = np.floor(truth / 100) * 100 + 50
    parameters = np.column_stack((truth[:, :2] - middle[:, :2], truth[:, 2], np.tile([photons, BACKGROUND], (600, 1))))
    small = GaussianSpot(astigmatic(120, -250, 250, 350), 100, 13)
    bounds = spot_bounds(small, parameters, READ_NOISE**2)
    error = fitted.position * NM - truth
    for k, axis in enumerate(("x_nm", "y_nm", "z_nm")):
        assert np.sqrt(np.mean((error[:, k] / bounds[axis]) ** 2)) < 1.08
        assert 0.92 < np.sqrt(np.mean((error[:, k] / (fitted.sigma[:, k] * NM[k])) ** 2)) < 1.08
    assert 0.9 < np.std((fitted.photons - photons) / fitted.sigma_photons) < 1.1
    assert abs(fitted.goodness.mean() - 1) < 0.03
    assert (fitted.goodness <= fitted.goodness_before + 1e-3).mean() > 0.99


def test_three_frames_tell_more_than_one() -> None:
    rng = np.random.default_rng(2)
    truth = np.repeat(rng.uniform((1550, 1550, -300), (1650, 1650, 300), (200, 3)), 3, axis=0)
    frame, photons = (np.arange(200)[:, None] * 5 + [0, 1, 2]).ravel(), np.full(600, 1500.0)
    counts = frames(truth, photons, frame, 1000, 2)
    given = candidates(truth, photons, frame, np.array([10, 10, 30.0]), 2)
    middle = frame % 5 == 1
    spread = {
        together: np.std(
            (everyone(counts, given, replace(ALONE, frames=together)).position * NM - truth)[middle], axis=0
        )
        for together in (False, True)
    }
    assert (spread[True] < 0.72 * spread[False]).all()  # 1 / sqrt(3) = 0.58
    fitted = everyone(counts, given, replace(ALONE, frames=True))
    pull = ((fitted.position * NM - truth) / (fitted.sigma * NM))[middle]
    assert (np.abs(pull.std(0) - 1) < 0.15).all()


def test_overlapping_emitters_are_fitted_together() -> None:
    rng = np.random.default_rng(3)
    one = rng.uniform((1450, 1450, -200), (1550, 1550, 200), (150, 3))
    truth = np.stack((one, one + np.array([450, 200, 50])), axis=1).reshape(-1, 3)
    frame, photons = np.repeat(np.arange(150), 2), np.full(300, 2000.0)
    counts = frames(truth, photons, frame, 150, 3)
    given = candidates(truth, photons, frame, np.array([15, 15, 40.0]), 3)
    options = replace(ALONE, prior=3.0, crowded_prior=3.0, rounds=12)
    error = {
        joint: np.median(
            np.abs(everyone(counts, given, replace(options, neighbours=joint)).position * NM - truth), axis=0
        )
        for joint in (False, True)
    }
    assert (error[True] < 0.6 * error[False]).all()


def test_threads_change_nothing() -> None:
    _, counts, given = singles(200, 1000.0, 4)
    one, two = (everyone(counts, given, replace(ALONE, threads=threads)) for threads in (1, 2))
    np.testing.assert_array_equal(one.position, two.position)


def test_windows_at_the_edge_of_the_frame_are_cut() -> None:
    truth = np.array([[150.0, 1600, 0], [1600, 3150, 100], [3199, 3199, 0]])
    photons, frame = np.full(3, 5000.0), np.arange(3)
    fitted = everyone(
        frames(truth, photons, frame, 3, 5), candidates(truth, photons, frame, np.array([20, 20, 50.0]), 5), ALONE
    )
    assert (np.abs(fitted.position * NM - truth) < 5 * fitted.sigma * NM).all()


def table(given: Candidates) -> Localizations:
    n = len(given.frame)
    position, sigma = given.position * NM, given.sigma * NM
    axes = ("x_nm", "y_nm", "z_nm")
    return Localizations(
        {"frame": given.frame + 100, "photons": given.photons, "sigma_photons": np.full(n, 50.0),
         "background": given.background, "probability": np.full(n, 0.9)}
        | {axis: position[:, k] for k, axis in enumerate(axes)}
        | {f"sigma_{axis}": sigma[:, k] for k, axis in enumerate(axes)}
    )  # fmt: skip


def test_good_fits_replace_rows_and_bad_ones_do_not() -> None:
    truth, counts, given = singles(120, 3000.0, 6)
    counts[60:, 10:20, 18] += 150  # half of them beside a bright streak that nobody found
    rows, camera = table(given), Camera(read_noise_e=READ_NOISE)
    refined = refine(
        counts, given.frame, rows, np.ones(120, bool), Optics(SPLINE, camera), options=Options(frames=False)
    )
    good = refined["flags"] == REFINED
    assert good[:60].mean() > 0.9
    assert not good[60:].any()
    assert (refined["goodness"][60:] > 1.3).all()
    np.testing.assert_array_equal(refined["x_nm"][60:], rows["x_nm"][60:])
    closer = np.abs(refined["x_nm"] - truth[:, 0])[:60].mean() / np.abs(rows["x_nm"] - truth[:, 0])[:60].mean()
    assert closer < 0.6


def test_counts_behind_an_em_register_and_a_quantum_efficiency_give_photons() -> None:
    _, counts, given = singles(50, 3000.0, 7)
    camera = Camera(read_noise_e=READ_NOISE * 2 * 100, em_gain=100, quantum_efficiency=0.5)
    halved = replace(given, photons=given.photons * 4, background=given.background * 2)
    refined = refine(counts, given.frame, table(halved), np.ones(50, bool), Optics(SPLINE, camera))
    assert np.median(refined["photons"]) == pytest.approx(12_000, rel=0.02)
    assert np.median(refined["background"]) == pytest.approx(20, rel=0.05)


def test_isolated_leaves_close_pairs_alone_and_nothing_is_nothing() -> None:
    truth = np.array([[1500.0, 1500, 0], [1800, 1500, 0], [1600, 1600, 0]])
    frame, photons = np.array([0, 0, 1]), np.full(3, 2000.0)
    given = candidates(truth, photons, frame, np.array([10, 10, 30.0]), 8)
    counts, optics = frames(truth, photons, frame, 2, 8), Optics(SPLINE, Camera(read_noise_e=READ_NOISE))
    refined = refine(counts, frame, table(given), np.ones(3, bool), optics, "isolated")
    assert refined["flags"].tolist() == [0, 0, REFINED]
    assert np.isnan(refined["goodness"][:2]).all()
    nothing = refine(counts, frame[:0], table(given).where(slice(0, 0)), np.ones(0, bool), optics)
    assert len(nothing) == 0
    assert "goodness" in nothing
