"""Background for fits: flat from the border, averaged without spots whatever the batches, asked of a network."""

from itertools import pairwise
from math import nan

import numpy as np
import pytest

from models.camera import Camera
from models.localizations import Localizations, concatenate
from models.optics.gaussian import GaussianSpot, constant, free
from models.optics.render import render
from models.refining.candidates import Options
from models.refining.refine import Optics
from models.refining.spline import spline
from stream.frame import Batch
from stream.stages.background import STRIDE_FRAMES, Backgrounds, Borders, RunningAverage
from stream.stages.bgnet import NetworkBackground
from stream.stages.refine import Refiner
from tests.stream.stages.test_refine import CAMERA, FRAMES, OPTICS, SIDE, Rough, movie

PIXEL_NM = 100.0
EM = Camera(offset_adu=100, gain_adu_per_e=2.0, read_noise_e=30, em_gain=100)


def table(xy_px: np.ndarray, photons: float) -> Localizations:
    n = len(xy_px)
    columns = {"x_nm": xy_px[:, 0] * PIXEL_NM, "y_nm": xy_px[:, 1] * PIXEL_NM, "photons": np.full(n, photons)}
    same = {"sigma_x_nm": 10.0, "sigma_y_nm": 10.0, "sigma_photons": 50.0, "background": 10.0, "frame": 0}
    return Localizations(columns | {name: np.full(n, value) for name, value in same.items()})


class Slope:
    """A network that says the column's number, and keeps what it was given."""

    class card:  # noqa: N801
        multiple_px = 14

    def run(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        self.given = inputs
        return {"background": inputs["counts"] * 0 + np.arange(14, dtype="f4")}


ESTIMATES = {
    "borders": lambda: Borders(OPTICS),
    "average": lambda: RunningAverage(OPTICS, (SIDE, SIDE), 400),
    "network": lambda: NetworkBackground(Slope(), OPTICS, (SIDE, SIDE)),
}


@pytest.mark.parametrize("name", ESTIMATES)
def test_every_candidate_gets_a_window_even_at_the_edge_and_nobody_is_nothing(name: str) -> None:
    estimate: Backgrounds = ESTIMATES[name]()
    frames = [np.full((SIDE, SIDE), 5, "f4")] * 3
    tables = [table(np.array([[0.1, 0.1], [31.9, 16]]), 1), table(np.empty((0, 2)), 1), table(np.array([[9.0, 9]]), 1)]
    under = estimate.under(frames, tables)
    assert [windows.shape for windows in under] == [(n, 13, 13) for n in (2, 0, 1)]
    assert all(np.isfinite(windows).all() for windows in under)
    assert len(estimate.under([], [])) == 0


@pytest.mark.parametrize("name", ["borders", "average"])
def test_answers_do_not_depend_on_how_frames_are_cut(name: str) -> None:
    def refined(edges: list[int]) -> Localizations:
        stage, pixels, parts = Refiner(Rough(), OPTICS, "all", Options(), ESTIMATES[name]()), movie(), []
        for a, b in pairwise(edges):
            none = np.full(b - a, nan)
            parts.append(stage.process(Batch(pixels[a:b], np.arange(a, b), none, none, none)).table)
        return concatenate([*parts, stage.flush().table])

    whole, cut = refined([0, FRAMES]), refined([0, 1, 5, 6, FRAMES])
    np.testing.assert_allclose(whole["x_nm"], cut["x_nm"], atol=0.02)
    assert (whole["flags"] == 1).mean() > 0.8


def structured_movie(frames: int, camera: Camera) -> tuple[np.ndarray, np.ndarray, list[Localizations]]:
    """A slope with a hill, one spot that stays on and one that blinks; counts, background, what a localizer says."""
    rng = np.random.default_rng(1)
    y, x = np.mgrid[:SIDE, :SIDE]
    truth = 10 + 0.3 * x + 15 * np.exp(-((x - 22) ** 2 + (y - 10) ** 2) / 50)
    spot = GaussianSpot(constant(130), PIXEL_NM, 13)
    where, tables, light = np.array([[10.3, 18.6], [22.5, 9.2]]), [], np.empty((frames, SIDE, SIDE))
    for k in range(frames):
        on = where[: 1 + k % 2]
        nm = np.column_stack((on * PIXEL_NM, 0 * on[:, 0]))
        light[k] = render(spot, nm, np.full(len(on), 1500.0), np.zeros(len(on), int), (1, SIDE, SIDE))[0]
        tables.append(table(on + rng.normal(0, 0.1, on.shape), 1500 * rng.lognormal(0, 0.1)))
    counts = camera.photo_electrons(camera.expose(light + truth, rng)) / camera.excess
    return counts.astype("f4"), truth, tables


@pytest.mark.parametrize("camera", [CAMERA, EM], ids=["sCMOS", "EMCCD"])
def test_the_average_finds_structure_and_leaves_spots_out(camera: Camera) -> None:
    counts, truth, tables = structured_movie(240, camera)
    optics = Optics(OPTICS.spot, camera, width_nm=130)
    estimate = RunningAverage(optics, (SIDE, SIDE), 400)
    estimate.under(list(counts), tables)
    error = estimate.picture - truth
    assert np.sqrt(np.mean(error[3:-3, 3:-3] ** 2)) < 0.6  # of 10 to 30
    assert abs(error[18, 10]) < 1.5  # under the one that is always on, at 1,500 photons
    windows = estimate.under([counts[0]], [tables[0]])[0]
    assert windows.mean() == pytest.approx(truth[12:25, 4:17].mean() / camera.excess, rel=0.05)


def test_the_average_follows_within_its_time_constant() -> None:
    nobody, dark, bright = table(np.empty((0, 2)), 1), np.full((16, 16), 4, "f4"), np.full((16, 16), 6, "f4")
    estimate = RunningAverage(OPTICS, (16, 16), 40)
    for level, frames in ((dark, 400), (bright, 40)):
        for _ in range(frames):
            estimate.under([level], [nobody])
    reached = 1 - np.exp(-(40 - STRIDE_FRAMES * 8) / 40), 1 - np.exp(-1)
    assert 4 + 2 * reached[0] <= estimate.picture[8, 8] <= 4 + 2 * reached[1] + 0.05


def test_a_network_sees_crops_and_its_answer_lies_at_the_same_pixels() -> None:
    network = Slope()
    counts = np.arange(SIDE * SIDE, dtype="f4").reshape(SIDE, SIDE)
    xy = np.array([[16.2, 15.8], [15.7, 12.1]])
    under = NetworkBackground(network, OPTICS, (SIDE, SIDE)).under([counts], [table(xy, 1)])[0]
    for k, (x, y) in enumerate(xy):
        left, top = round(x) - 7, round(y) - 7
        np.testing.assert_array_equal(network.given["counts"][k], counts[top : top + 14, left : left + 14])
        first = int(x) - 6
        np.testing.assert_array_equal(under[k, 0], np.arange(first - left, first - left + 13))
    assert float(network.given["variance"][0, 0, 0]) == pytest.approx(1.5**2)


def test_a_picture_comes_with_the_answer_where_there_is_one() -> None:
    optics = Optics(spline(GaussianSpot(free(), 100, 25), (60, 350), 13, knot_nm=15), CAMERA, width_nm=130)
    none, pixels = np.full(FRAMES, nan), movie()
    batch = Batch(pixels, np.arange(FRAMES), none, none, none)
    for estimate, shape in ((RunningAverage(optics, (SIDE, SIDE), 400), (SIDE, SIDE)), (Borders(optics), None)):
        located = Refiner(Rough(), optics, "all", Options(), estimate).process(batch)
        assert (None if located.background is None else located.background.shape) == shape


def test_new_spots_of_another_window_fit_into_the_windows_that_were_cut() -> None:
    estimate, pixels, none = Borders(OPTICS), movie(), np.full(FRAMES // 2, nan)
    stage, half = Refiner(Rough(), OPTICS, "all", Options(), estimate), FRAMES // 2
    stage.process(Batch(pixels[:half], np.arange(half), none, none, none))
    stage.use(spline(GaussianSpot(free(), PIXEL_NM, 31), OPTICS.spot.z_nm, 17, knot_nm=15))
    located = stage.process(Batch(pixels[half:][:half], np.arange(half, 2 * half), none, none, none))
    assert (located.table["flags"] == 1).mean() > 0.8
    assert estimate.optics.spot.window_px == OPTICS.spot.window_px
