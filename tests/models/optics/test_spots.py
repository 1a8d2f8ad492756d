"""The contract of spots for each of them, and the laws that one alone obeys."""

import numpy as np
import pytest

from models.optics import gaussian, phase_masks
from models.optics.composite import Planes, Spectrum
from models.optics.low_rank import LowRankSpot
from models.optics.low_rank_build import low_rank
from models.optics.objective import Objective
from models.optics.propagator import Setup
from models.optics.vectorial import VectorialSpot
from tests.contracts_spot import SpotContract

PIXEL_NM = 100.0
SMALL = 32  # cells of the pupil: enough for every law here


class Case(SpotContract):
    @pytest.fixture
    def positions_nm(self) -> np.ndarray:
        return np.random.default_rng(1).uniform((-40, -40, -200), (40, 40, 200), (4, 3))


class TestConstantWidth(Case):
    @pytest.fixture
    def spot(self):
        return gaussian.GaussianSpot(gaussian.constant(130), PIXEL_NM)


class TestAstigmaticWidth(Case):
    @pytest.fixture
    def spot(self):
        return gaussian.GaussianSpot(gaussian.astigmatic(130, -200, 200, 400), PIXEL_NM)


class TestFreeWidth(Case):
    @pytest.fixture
    def spot(self):
        return gaussian.GaussianSpot(gaussian.free(), PIXEL_NM)

    @pytest.fixture
    def positions_nm(self) -> np.ndarray:
        return np.random.default_rng(1).uniform((-40, -40, 100), (40, 40, 200), (4, 3))


class TestVectorial(Case):
    """In water, where light above the critical angle decays with the height."""

    @pytest.fixture
    def spot(self):
        return VectorialSpot(Setup(zernike_waves={5: 0.05, 8: 0.1}, height_nm=300, pupil_samples=SMALL), PIXEL_NM, 15)


class TestVectorialWithMask(Case):
    @pytest.fixture
    def spot(self):
        return VectorialSpot(Setup(mask=phase_masks.double_helix(3), height_nm=500, pupil_samples=SMALL), PIXEL_NM, 15)


@pytest.fixture(scope="module")
def built() -> tuple[LowRankSpot, VectorialSpot]:
    setup = Setup(mask=phase_masks.astigmatism(), height_nm=500, pupil_samples=SMALL)
    return low_rank(VectorialSpot(setup, PIXEL_NM, 19), (-300, 300), rank=40, z_nodes=17), VectorialSpot(
        setup, PIXEL_NM, 15
    )


class TestLowRank(Case):
    @pytest.fixture
    def spot(self, built):
        return built[0]


class TestPlanes(Case):
    @pytest.fixture
    def spot(self):
        return Planes([gaussian.GaussianSpot(gaussian.astigmatic(130, z, z, 400), PIXEL_NM) for z in (-250, 250)])


class TestSpectrum(Case):
    @pytest.fixture
    def spot(self):
        return Spectrum(
            [VectorialSpot(Setup(Objective(wavelength_nm=nm), pupil_samples=SMALL), PIXEL_NM, 15) for nm in (670, 700)],
            [0.6, 0.4],
        )


def test_low_rank_spots_are_as_good_as_they_say(built) -> None:
    fast, exact = built
    positions = np.random.default_rng(2).uniform(
        (-250, -250, -300), (250, 250, 300), (50, 3)
    )  # beyond the middle pixel
    truth = exact(positions)
    errors = np.linalg.norm(fast(positions) - truth, axis=(1, 2)) / np.linalg.norm(truth, axis=(1, 2))
    assert fast.quality.max_error < 5e-4
    assert errors.max() < 1.5 * fast.quality.max_error


def test_low_rank_spots_survive_a_file(built, tmp_path) -> None:
    fast, _ = built
    fast.save(tmp_path / "spots.npz")
    assert (tmp_path / "spots.npz").stat().st_size < 200_000
    again = LowRankSpot.load(tmp_path / "spots.npz")
    position = np.array([[120.0, -30, 50]])
    np.testing.assert_allclose(again(position), fast(position), atol=1e-6 * fast(position).max())
    assert again.quality == fast.quality


@pytest.mark.parametrize("content", [b"", b"nothing of the kind"])
def test_a_file_of_something_else(tmp_path, content: bytes) -> None:
    (tmp_path / "spots.npz").write_bytes(content)
    with pytest.raises(ValueError, match="holds no low-rank spots"):
        LowRankSpot.load(tmp_path / "spots.npz")


@pytest.mark.parametrize("position", [(0, 0, 301), (260, 0, 0), (0, np.nan, 0)])
def test_low_rank_spots_are_not_asked_for_what_they_do_not_know(built, position) -> None:
    with pytest.raises(ValueError, match="is outside"):
        built[0](np.array([position], float))


def test_an_emitter_on_the_edge_of_the_reach_is_drawn_whichever_way_it_is_rounded(built) -> None:
    spot = built[0].cropped(built[0].size_px, 0)
    edge = spot.pixel_size_nm / 2
    beyond = np.array([[edge + 1e-9, -edge - 1e-9, 0.0]])
    assert spot(beyond) == pytest.approx(spot(np.array([[edge - 1e-9, -edge + 1e-9, 0.0]])), abs=1e-9)


def test_photons_of_all_planes_are_one_emitters() -> None:
    spots = [gaussian.GaussianSpot(gaussian.constant(sigma), PIXEL_NM) for sigma in (110, 150)]
    images = Planes(spots, [0.7, 0.3])(np.zeros((1, 3)))
    np.testing.assert_allclose(images.sum((2, 3)), [[0.7, 0.3]], atol=1e-4)
    with pytest.raises(ValueError, match="the sum 1"):
        Planes(spots, [0.7, 0.7])
    with pytest.raises(ValueError, match="all must be the same"):
        Spectrum([spots[0], gaussian.GaussianSpot(gaussian.constant(130), 90.0)])
