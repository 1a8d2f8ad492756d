"""Beads in a sweep of the stage tell the pupil, and the stage says which way is up."""

from dataclasses import replace
from math import nan

import numpy as np
import pytest

from models.aberrations.from_beads import BeadStack, state_of
from models.aberrations.watch import OpticsWatch
from models.camera import Camera
from models.localizations import Localizations
from models.optics.objective import Objective
from models.optics.vectorial import Aberration, VectorialSpot
from stream.frame import Batch
from stream.stages.beads import BeadWatch
from stream.stages.phase_process import Task
from stream.stages.stage import Located
from stream.worker import Answer

CAMERA = Camera(offset_adu=100, gain_adu_per_e=2.0, read_noise_e=1.5)
TASK = Task(Objective(sample_index=1.518), 100.0, 600.0, "astigmatism", {}, 0.0)
STAGE_UM = np.linspace(0, 1.2, 9)
EMPTY = Localizations({"frame": np.empty(0, np.int64), "x_nm": np.empty(0), "y_nm": np.empty(0)})
TRUTH = {8: 0.05, 11: -0.04}


def movie(focus_nm: np.ndarray) -> np.ndarray:
    """A bead behind an aberration that nobody was told of."""
    setup = replace(TASK.known().setup, zernike_waves=TRUTH)
    light = np.full((len(focus_nm), 40, 40), 20.0)
    light[:, 5:36, 4:35] += 2e4 * VectorialSpot(setup, 100, 31)(np.zeros((len(focus_nm), 3)), Aberration(focus_nm))
    return CAMERA.expose(light, np.random.default_rng(1))


class Nothing:
    """A localizer that finds nothing."""

    look_ahead_frames = 0

    def process(self, batch: Batch) -> Located:
        return Located(EMPTY, batch.index, batch.host_time_s)

    def flush(self) -> Located:
        return Located(EMPTY, np.empty(0, np.int64), np.empty(0))


class AtOnce:
    """The slow lane in the same process."""

    window_px = 21

    def __init__(self) -> None:
        self.idle, self.taken = True, list[BeadStack]()
        self._known = TASK.known()

    def send(self, seen: BeadStack, time_s: float) -> None:
        self.taken.append(seen)
        self.idle = False

    def poll(self) -> Answer | None:
        if self.idle:
            return None
        self.idle = True
        state = state_of(self.taken[-1], self._known)
        return Answer(None if state is None else OpticsWatch(self._known).take_state(state, 0.0), 0.1)


def swept(pixels: np.ndarray, towards_objective: float) -> tuple[AtOnce, list[Located]]:
    lane = AtOnce()
    stage = BeadWatch(Nothing(), lane, CAMERA, towards_objective)
    none, index = np.full(len(pixels), nan), np.arange(len(pixels))
    whole = Batch(pixels, index, none, index.astype(float), STAGE_UM)
    after = Batch(pixels[:1], index[:1] + len(pixels), none[:1], np.zeros(1), none[:1])
    return lane, [stage.process(whole), stage.process(after), stage.process(after), stage.flush()]


def test_a_sweep_tells_the_pupil() -> None:
    focus_nm = 1000 * (STAGE_UM - STAGE_UM.mean())
    lane, parts = swept(movie(focus_nm), 1.0)
    assert np.allclose(lane.taken[0].focus_nm, focus_nm)
    (report,) = [part.optics for part in parts if part.optics is not None]
    assert report.waves is not None
    assert report.waves[[6, 9]] == pytest.approx([0.05, -0.04], abs=0.01)
    assert report.facts["source"] == "beads"
    assert "reason" in report.facts


def test_the_other_direction_turns_the_stack_over() -> None:
    lane, _ = swept(movie(np.zeros(len(STAGE_UM)))[:, :8, :8], -1.0)
    assert lane.taken[0].focus_nm[0] > 0 > lane.taken[0].focus_nm[-1]


def test_a_sweep_without_beads_is_told() -> None:
    dark = np.full((len(STAGE_UM), 40, 40), 120, np.uint16)
    _, parts = swept(dark, 1.0)
    (report,) = [part.optics for part in parts if part.optics is not None]
    assert "no bead" in report.facts["reason"]
