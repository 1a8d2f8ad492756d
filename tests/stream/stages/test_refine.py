"""Refined answers are the same however frames are cut into batches, wherever a gap is, and come in order."""

from itertools import pairwise
from math import nan

import numpy as np
import pytest

from models.camera import Camera
from models.localizations import Localizations, concatenate
from models.optics.gaussian import GaussianSpot, constant, free
from models.optics.render import render
from models.refining.candidates import Options
from models.refining.refine import REFINED, Optics
from models.refining.spline import spline
from stream.frame import Batch
from stream.stages.refine import Refiner
from stream.stages.stage import Located

SIDE, FRAMES = 32, 12
CAMERA = Camera(offset_adu=100, gain_adu_per_e=2.0, read_noise_e=1.5)
OPTICS = Optics(spline(GaussianSpot(free(), 100, 25), (60, 350), 13, knot_nm=15), CAMERA, width_nm=130)
TRUTH = np.array([[1500.0, 1600, 0], [800, 2200, 0]])


def movie(frames: int = FRAMES) -> np.ndarray:
    where = np.tile(TRUTH, (frames, 1))
    light = render(
        GaussianSpot(constant(130), 100, 13), where, np.full(2 * frames, 2000.0), np.repeat(np.arange(frames), 2),
        (frames, SIDE, SIDE),
    )  # fmt: skip
    return CAMERA.expose(light + 10, np.random.default_rng(1))


class Rough:
    """Answers for all but the newest frame, with positions that are wrong by some 20 nm."""

    look_ahead_frames = 1

    def __init__(self) -> None:
        self._waiting: list[tuple[int, float]] = []

    def process(self, batch: Batch) -> Located:
        self._waiting += zip(batch.index.tolist(), batch.host_time_s.tolist(), strict=True)
        done, self._waiting = self._waiting[:-1], self._waiting[-1:]
        return self._answer(done)

    def flush(self) -> Located:
        done, self._waiting = self._waiting, []
        return self._answer(done)

    @staticmethod
    def _answer(done: list[tuple[int, float]]) -> Located:
        index = np.array([k for k, _ in done], np.int64)
        n = 2 * len(index)
        off = np.where(np.repeat(index, 2) % 2, 20.0, -20.0)
        where = np.tile(TRUTH, (len(index), 1))
        columns = {
            "frame": np.repeat(index, 2), "x_nm": where[:, 0] + off, "y_nm": where[:, 1] - off,
            "sigma_x_nm": np.full(n, 20.0), "sigma_y_nm": np.full(n, 20.0), "photons": np.full(n, 1800.0),
            "sigma_photons": np.full(n, 100.0), "background": np.full(n, 10.0), "probability": np.full(n, 0.9),
        }  # fmt: skip
        return Located(Localizations(columns), index, np.array([t for _, t in done]))


def refined(*batches: list[int]) -> Located:
    pixels, stage = movie(40), Refiner(Rough(), OPTICS, "all", Options())
    parts = []
    for index in batches:
        none = np.full(len(index), nan)
        parts.append(stage.process(Batch(pixels[index], np.array(index, np.int64), none, np.array(index, float), none)))
    parts.append(stage.flush())
    return Located(
        concatenate(part.table for part in parts), np.concatenate([part.index for part in parts]),
        np.concatenate([part.host_time_s for part in parts]),
    )  # fmt: skip


WHOLE = list(range(FRAMES))


@pytest.mark.parametrize("cuts", [[4, 8], [1, 2, 3, 11], list(range(1, FRAMES))])
def test_answers_do_not_depend_on_how_frames_are_cut(cuts: list[int]) -> None:
    edges = [0, *cuts, FRAMES]
    parts, whole = refined(*(WHOLE[a:b] for a, b in pairwise(edges))), refined(WHOLE)
    assert parts.index.tolist() == whole.index.tolist() == parts.host_time_s.tolist() == WHOLE
    assert parts.table["frame"].tolist() == whole.table["frame"].tolist()
    np.testing.assert_allclose(parts.table["x_nm"], whole.table["x_nm"], atol=0.02)
    assert (whole.table["flags"] == REFINED).mean() > 0.9


def test_three_frames_are_fitted_together_except_beside_a_gap() -> None:
    located = refined([0, 1, 2, 3, 4, 10, 11, 12], [20])
    assert located.index.tolist() == [0, 1, 2, 3, 4, 10, 11, 12, 20]
    table = located.table
    sigma = {frame: table["sigma_x_nm"][table["frame"] == frame].mean() for frame in located.index.tolist()}
    assert sigma[2] == pytest.approx(sigma[11], rel=0.1)
    assert sigma[2] * 1.6 < sigma[20]  # one frame against three
    for edge in (0, 4, 10, 12):
        assert sigma[2] * 1.1 < sigma[edge] < 0.85 * sigma[20]


def test_nothing_in_nothing_out_and_a_stage_can_be_used_again() -> None:
    assert len(refined().table) == 0
    assert refined([], [3, 4], []).index.tolist() == [3, 4]


def test_the_width_of_a_spot_in_focus_is_found() -> None:
    widths = refined(WHOLE).table["psf_sigma_nm"]
    assert np.nanmedian(widths) == pytest.approx(130, rel=0.02)


def test_two_frames_may_still_lack_their_answer() -> None:
    stage = Refiner(Rough(), OPTICS, "isolated", Options())
    assert stage.look_ahead_frames == 2
    none = np.full(5, nan)
    assert stage.process(Batch(movie()[:5], np.arange(5), none, none, none)).index.tolist() == [0, 1, 2]
