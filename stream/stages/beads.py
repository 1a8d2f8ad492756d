"""The optics, watched by beads: each sweep of the stage goes to the slow lane, new spots come back.

The newest sweep wins: one that ends while the slow lane is still at the one before takes the place of what waits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.aberrations.from_beads import BeadStack
from models.camera import Camera
from stream.frame import Batch
from stream.stages.slow_lane import Dialogue, SlowLane
from stream.stages.stage import Located, Stage
from stream.stages.sweep import Stack, Sweeps


@dataclass(frozen=True, slots=True)
class _Waiting:
    stack: BeadStack
    frame: int


class BeadWatch:
    """A stage whose frames carry the stage's position.

    Parameters
    ----------
    stage : Stage
        The refiner, or the localizer if nothing is refined.
    lane : SlowLane
    camera : Camera
        Its maps cover the frames.
    towards_objective : float
        1 if the focal plane moves towards the objective where the stage's position grows, else -1.
    """

    def __init__(self, stage: Stage, lane: SlowLane, camera: Camera, towards_objective: float) -> None:
        self._stage, self._dialogue, self._camera = stage, Dialogue(lane, stage, "beads"), camera
        self._direction, self._sweeps, self._began_s = towards_objective, Sweeps(), 0.0
        self._waiting: _Waiting | None = None

    @property
    def look_ahead_frames(self) -> int:
        """How many of the newest frames may now lack their answer."""
        return self._stage.look_ahead_frames

    def process(self, batch: Batch) -> Located:
        """Take frames in order; return what is known by now."""
        news = self._dialogue.hear()
        for stack in self._sweeps.take(batch):
            self._waiting = self._stated(stack)
        self._hand_over(float(batch.host_time_s[-1]) if len(batch) else 0.0)
        return self._dialogue.told(self._stage.process(batch), news)

    def flush(self) -> Located:
        """Return the answer for the newest frames."""
        self._sweeps.end()
        return self._dialogue.told(self._stage.flush(), self._dialogue.hear())

    def _hand_over(self, time_s: float) -> None:
        if self._waiting is not None and self._dialogue.free:
            self._dialogue.hand_over(self._waiting.stack, time_s, self._waiting.frame)
            self._waiting = None

    def _stated(self, stack: Stack) -> _Waiting:
        """Add up the frames of each slice: all light counts."""
        camera, frames = self._camera, stack.frames[:, None, None]
        counts = frames * camera.photo_electrons(stack.adu) / camera.excess
        variance = frames * np.broadcast_to(camera.variance_e2 / camera.excess**2, stack.adu.shape)
        middle = (stack.stage_um[0] + stack.stage_um[-1]) / 2
        focus_nm = 1000 * self._direction * (stack.stage_um - middle)
        seen = BeadStack(np.asarray(counts, np.float32), np.asarray(variance, np.float32), focus_nm)
        return _Waiting(seen, stack.last)
