"""Molecules go to the slow lane and its spots come back; the frames never wait for it."""

from dataclasses import replace
from math import nan

import numpy as np
import pytest

from models.aberrations.molecules import Molecules
from models.aberrations.watch import Estimate, OpticsWatch
from models.camera import Camera
from models.localizations import Localizations, concatenate
from models.optics.objective import Objective
from models.optics.vectorial import VectorialSpot
from stream.config import PhaseSettings
from stream.frame import Batch
from stream.stages import phase_process
from stream.stages.phase import PhaseWatch
from stream.stages.phase_process import Task
from stream.stages.stage import Located
from stream.worker import Answer, WorkerDied

SIDE, FRAMES, WINDOW_PX = 64, 24, 15
CAMERA = Camera(offset_adu=100, gain_adu_per_e=2.0, read_noise_e=1.5)
TASK = Task(Objective(sample_index=1.518), 100.0, 300.0, "astigmatism", {}, 350.0, 0.0, WINDOW_PX, 25, 0.02)
SETTINGS = PhaseSettings(mode="molecules", mask="astigmatism", molecules=20, every_s=1.0)
PLACES = np.array([[x, y, z] for x, z in ((1210.0, -200.0), (3240, 0), (5170, 200)) for y in (1350.0, 3200, 5130)])


def movie() -> np.ndarray:
    """Nine molecules, the same in each frame, behind an aberration that nobody was told of."""
    setup = replace(TASK.known().setup, zernike_waves={8: 0.04})
    pixel = np.floor(PLACES[:, :2] / 100).astype(int)
    inside = PLACES - np.column_stack(((pixel + 0.5) * 100, np.zeros(len(PLACES))))
    light = np.full((SIDE, SIDE), 10.0)
    for (x, y), image in zip(pixel, VectorialSpot(setup, 100, WINDOW_PX)(inside), strict=True):
        light[y - 7 : y + 8, x - 7 : x + 8] += 3000 * image
    return CAMERA.expose(np.broadcast_to(light, (FRAMES, SIDE, SIDE)), np.random.default_rng(1))


class Perfect:
    """Answers for all but the newest frame, with the true places."""

    look_ahead_frames = 1

    def __init__(self) -> None:
        self._waiting: list[int] = []

    def process(self, batch: Batch) -> Located:
        self._waiting += batch.index.tolist()
        done, self._waiting = self._waiting[:-1], self._waiting[-1:]
        return self._answer(done)

    def flush(self) -> Located:
        done, self._waiting = self._waiting, []
        return self._answer(done)

    @staticmethod
    def _answer(done: list[int]) -> Located:
        n = len(PLACES)
        where = np.tile(PLACES, (len(done), 1))
        columns = {
            "frame": np.repeat(np.array(done, np.int64), n), "x_nm": where[:, 0], "y_nm": where[:, 1],
            "z_nm": where[:, 2], "photons": np.full(len(where), 3000.0), "background": np.full(len(where), 10.0),
        }  # fmt: skip
        return Located(Localizations(columns), np.array(done, np.int64), np.array(done, float))


class AtOnce:
    """A slow lane in the same process, which answers when it is asked to."""

    window_px = WINDOW_PX

    def __init__(self) -> None:
        self.idle, self.taken, self.answer = True, list[Molecules](), False
        self._watch = OpticsWatch(TASK.known())

    def send(self, molecules: Molecules, time_s: float) -> None:
        assert self.idle
        self.idle = False
        self.taken.append(molecules)

    def poll(self) -> Answer | None:
        if self.idle or not self.answer:
            return None
        self.idle = True
        return Answer(self._watch.take(self.taken[-1], 0.0), 0.01)


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        self.now_s += 0.5
        return self.now_s


def batches(size: int) -> list[Batch]:
    pixels, none = movie(), np.full(size, nan)
    return [
        Batch(pixels[k : k + size], np.arange(k, k + size), none, np.arange(k, k + size, dtype=float), none)
        for k in range(0, FRAMES, size)
    ]


def watched(lane: object) -> PhaseWatch:
    return PhaseWatch(Perfect(), lane, CAMERA, 100.0, SETTINGS, Clock())


def test_the_aberration_is_reported_and_someone_is_told() -> None:
    lane = AtOnce()
    lane.answer = True
    stage = watched(lane)
    parts = [stage.process(batch) for batch in batches(4)] + [stage.flush()]
    table = concatenate(part.table for part in parts)
    assert len(table) == FRAMES * len(PLACES)
    assert set(table["psf_epoch"]) == {0}  # nothing is refined here, so no spots are used
    reports = [part.optics for part in parts if part.optics is not None]
    assert reports
    waves, facts = reports[0].waves, reports[0].facts
    assert waves is not None
    assert waves.shape == (27,)
    assert waves[6] == pytest.approx(0.04, abs=0.01)
    assert facts["source"] == "molecules"
    assert facts["molecules"] <= SETTINGS.molecules
    assert "Noll 8 +0.0" in facts["reason"]


def test_a_busy_lane_gets_the_newest_molecules_when_it_is_free() -> None:
    lane = AtOnce()
    stage = watched(lane)
    given = batches(2)
    for batch in given[:6]:
        stage.process(batch)
    assert len(lane.taken) == 1  # it has not answered: nobody waits, nobody asks again
    lane.answer = True
    for batch in given[6:]:
        stage.process(batch)
    assert len(lane.taken) > 1


class Dead(AtOnce):
    def poll(self) -> Answer | None:
        raise WorkerDied("it died (exit code -9)")


def test_without_the_slow_lane_localization_goes_on_and_somebody_is_told_once() -> None:
    stage = watched(Dead())
    parts = [stage.process(batch) for batch in batches(3)]
    told = [part.optics for part in parts if part.optics is not None]
    assert [report.facts["lost"] for report in told] == [True]
    assert sum(len(part.table) for part in parts) == (FRAMES - 1) * len(PLACES)


def test_the_process_answers_as_the_watch_does() -> None:
    lane = AtOnce()
    stage = watched(lane)
    for batch in batches(4):
        stage.process(batch)
    given = lane.taken[0]
    with phase_process.start(TASK) as process:
        process.send(given, 3.0)
        answer = process.poll(60.0)
        assert process.idle
    assert answer is not None
    expected: Estimate = OpticsWatch(TASK.known()).take(given, 3.0)
    assert np.allclose(answer.estimate.waves, expected.waves, atol=1e-6)
    assert answer.estimate.epoch == expected.epoch == 1
    np.testing.assert_allclose(answer.estimate.psf.images, TASK.known().psf(expected.waves).images, rtol=1e-4)


def test_a_process_that_was_killed_is_named() -> None:
    with phase_process.start(TASK) as process:
        process._process.kill()
        process._process.join()
        with pytest.raises(WorkerDied, match="exit code -9"):
            process.poll()
