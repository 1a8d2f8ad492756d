"""The fit attains the Cramer-Rao bound with errors of the size that it states, and bad windows are marked."""

import numpy as np
import pytest
import torch

from models.fitting.fit import Fits, Options, Prior, fit
from models.fitting.start import guess
from models.optics import phase_masks
from models.optics.composite import Planes
from models.optics.crlb import spot_bounds
from models.optics.expected import PARAMETERS, expected
from models.optics.gaussian import GaussianSpot, astigmatic, constant, free
from models.optics.low_rank_build import low_rank
from models.optics.objective import Objective
from models.optics.propagator import Setup
from models.optics.spot import DifferentiableSpot
from models.optics.vectorial import VectorialSpot

FLAT = ("x_nm", "y_nm", "photons", "background")
OIL = Objective(sample_index=1.518)
COUNT = 600
SPREAD = 4 / COUNT**0.5
"""Four standard errors of a root mean square of so many normal numbers, and some."""


def vectorial(mask: phase_masks.Mask | None, size: int, z_range_nm: float, rank: int) -> DifferentiableSpot:
    exact = VectorialSpot(Setup(OIL, mask=mask, pupil_samples=48), 100, size + 4)
    return low_rank(exact, (-z_range_nm, z_range_nm), rank, z_nodes=21 if z_range_nm < 700 else 41)


CASES = {
    "gaussian": (lambda: GaussianSpot(constant(130), 100), FLAT, (0.0,), 0),
    "free width": (lambda: GaussianSpot(free(), 100), PARAMETERS, (130.0,), 20),
    "elliptic": (lambda: GaussianSpot(astigmatic(130, -200, 200, 400), 100), PARAMETERS, (-200, 0, 200), 250),
    "2d": (lambda: vectorial(None, 13, 100, 16), FLAT, (0.0,), 0),
    "astigmatic": (lambda: vectorial(phase_masks.astigmatism(), 13, 600, 48), PARAMETERS, (-300, 0, 300), 450),
    "double helix": (
        lambda: vectorial(phase_masks.double_helix(), 21, 1000, 72), PARAMETERS, tuple(range(-900, 901, 150)), 800,
    ),
    "tetrapod": (
        lambda: vectorial(phase_masks.tetrapod(2), 25, 1000, 72), PARAMETERS, tuple(range(-900, 901, 150)), 800,
    ),
}  # fmt: skip


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest):
    make, known, starts, reach = CASES[request.param]
    return make(), known, starts, reach


def windows(spot: DifferentiableSpot, truth: np.ndarray, seed: int = 1, variance: float = 0.0) -> np.ndarray:
    """Return counts that a camera would see."""
    rng, mean = np.random.default_rng(seed), expected(spot, truth)[0]
    side = spot.size_px
    return (rng.poisson(mean) + rng.normal(0, variance**0.5, mean.shape)).reshape(len(truth), -1, side, side).squeeze(1)


def emitters(middle_z: float, reach: float, photons: float = 3000.0, count: int = COUNT) -> np.ndarray:
    rng = np.random.default_rng(2)
    xy, z = rng.uniform(-60, 60, (count, 2)), middle_z + rng.uniform(-reach, reach, count)
    return np.column_stack((xy, z, np.full(count, photons), np.full(count, 10.0)))


def test_it_attains_the_bound_and_knows_its_error(case) -> None:
    spot, known, starts, reach = case
    truth = emitters(130 if starts == (130.0,) else 0, reach)
    counts = windows(spot, truth)
    found = fit(spot, counts, guess(spot, counts, starts), options=Options(free=known))
    assert found.converged.mean() > 0.995
    bound = spot_bounds(spot, truth, free=known)
    error, good = found.parameters - truth, found.converged
    for name in known:
        column = PARAMETERS.index(name)
        ratio = np.sqrt(np.mean((error[good, column] / bound[name][good]) ** 2))
        pull = np.sqrt(np.mean((error[good, column] / found.sigma[good, column]) ** 2))
        assert 1 - SPREAD < ratio < 1.05 + SPREAD, (name, ratio)
        assert 1 - SPREAD < pull < 1.05 + SPREAD, (name, pull)
    pixels = spot.size_px**2 - len(known)
    assert found.deviance.mean() / pixels == pytest.approx(1, abs=0.03)


def test_read_noise_belongs_to_the_likelihood() -> None:
    """Noisy pixels in a part of the window: only with their variance known does the fit attain the bound."""
    spot, truth = GaussianSpot(constant(130), 100), emitters(0, 0, photons=500)
    variance = np.where(np.arange(169).reshape(13, 13) % 3 == 0, 100.0, 1.0)
    rng, mean = np.random.default_rng(3), expected(spot, truth)[0].reshape(-1, 13, 13)
    counts = rng.poisson(mean) + rng.normal(0, 1, mean.shape) * variance**0.5
    bound = spot_bounds(spot, truth, variance.ravel(), free=FLAT)["x_nm"]
    ratios = []
    for known in (variance, 0.0):
        found = fit(spot, counts, guess(spot, counts), known, Options(free=FLAT))
        ratios.append(np.sqrt(np.mean(((found.parameters - truth)[:, 0] / bound) ** 2)))
    assert ratios[0] < 1.05 + SPREAD
    assert ratios[1] > 1.2


def test_a_prior_pulls_where_the_image_does_not_tell() -> None:
    spot, truth = GaussianSpot(constant(130), 100), emitters(0, 0, photons=100, count=50)
    counts = windows(spot, truth)
    sigma = np.full(truth.shape, np.inf)
    free_fit = fit(spot, counts, truth, options=Options(free=FLAT))
    sigma[:, 0] = 1.0
    bound = fit(spot, counts, truth, options=Options(free=FLAT), prior=Prior(truth, sigma))
    assert np.abs(bound.parameters - truth)[:, 0].max() < 1
    assert np.abs(free_fit.parameters - truth)[:, 0].max() > 5
    assert (bound.sigma[:, 0] < 1).all()
    np.testing.assert_allclose(bound.sigma[:, 1], free_fit.sigma[:, 1], rtol=0.4)


def test_biplane_tells_z_where_one_plane_does_not() -> None:
    spot = Planes([GaussianSpot(astigmatic(130, z, z, 400), 100) for z in (-250, 250)])
    truth = emitters(0, 200)
    mean = expected(spot, truth)[0]
    counts = np.random.default_rng(4).poisson(mean).reshape(-1, 2, 13, 13).astype(float)
    start = truth + np.random.default_rng(5).normal(0, (30, 30, 80, 300, 1), truth.shape)
    found = fit(spot, counts, start)
    ratio = (found.parameters - truth)[:, 2] / spot_bounds(spot, truth)["z_nm"]
    assert found.converged.all()
    assert np.sqrt(np.mean(ratio**2)) < 1.05 + SPREAD


def same(one: Fits, other: Fits, part: slice = slice(None)) -> None:
    for name in ("parameters", "sigma", "deviance"):
        np.testing.assert_allclose(
            np.asarray(getattr(one, name))[part], getattr(other, name)[part], rtol=1e-5, atol=1e-5
        )


def test_a_fit_does_not_depend_on_its_company() -> None:
    spot, truth = GaussianSpot(constant(130), 100), emitters(0, 0, count=40)
    counts = windows(spot, truth)
    start = guess(spot, counts)
    whole = fit(spot, counts, start, options=Options(free=FLAT))
    same(fit(spot, counts, start, options=Options(free=FLAT, chunk=7)), whole)
    same(fit(spot, torch.from_numpy(counts * 1.0), torch.from_numpy(start), options=Options(free=FLAT)), whole)


@pytest.mark.filterwarnings("error")
def test_bad_windows_are_marked_and_harm_nobody() -> None:
    spot, truth = GaussianSpot(constant(130), 100), emitters(0, 0, count=8)
    counts = windows(spot, truth) * 1.0
    clean = fit(spot, counts, guess(spot, counts), options=Options(free=FLAT))
    counts[1, 3, 3] = np.nan
    counts[2] = np.inf
    counts[3] = 0
    counts[4] = -50
    counts[5] = 65535
    found = fit(spot, counts, guess(spot, counts), options=Options(free=FLAT))
    assert not found.converged[1:3].any()
    assert np.isfinite(found.parameters).all()
    for row in (0, 6, 7):
        same(found, clean, slice(row, row + 1))
    assert found.deviance[5] / 165 > 2 or found.parameters[5, 3] < 100  # flat light is no emitter


def test_no_window_is_no_fit() -> None:
    spot = GaussianSpot(constant(130), 100)
    assert len(fit(spot, np.empty((0, 13, 13)), np.empty((0, 5))).parameters) == 0


def test_windows_of_another_size() -> None:
    with pytest.raises(ValueError, match=r"windows of \(11, 11\) pixels, spots of 13"):
        fit(GaussianSpot(constant(130), 100), np.zeros((1, 11, 11)), np.zeros((1, 5)))
