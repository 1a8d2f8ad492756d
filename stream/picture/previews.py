"""What viewers see of the camera: a frame now and then, where molecules were found in it, and the sum of all frames."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from stream.frame import Batch, Frame
from stream.stages.stage import Located

PREVIEW_EVERY_S = 0.25
SUM_EVERY_S = 2.0
AWAITED = 64
"""Previews that may wait for their localizations; the oldest are given up, as those of frames that were skipped."""


class Viewers(Protocol):
    """Where previews go."""

    def preview(self, frame: Frame) -> None:
        """Take the pixels of a camera frame."""

    def found(self, index: int, positions_nm: NDArray[np.float32]) -> None:
        """Take where molecules were found in a frame: (n, 2) x, y."""

    def sum(self, picture: NDArray[np.float32], frames: int) -> None:
        """Take the sum of so many frames, (y, x) ADU."""


class Previews:
    """Thins frames for viewers, and adds all of them up to the picture that a widefield microscope would show.

    Parameters
    ----------
    height_px, width_px : int
        Of the camera frames.
    viewers : Viewers
    clock : callable
        Seconds, monotonic.
    """

    def __init__(self, height_px: int, width_px: int, viewers: Viewers, clock: Callable[[], float]) -> None:
        self._viewers, self._clock = viewers, clock
        self._sum, self._frames = np.zeros((height_px, width_px)), 0
        self._next_preview_s = self._next_sum_s = clock()
        self._awaited: deque[int] = deque(maxlen=AWAITED)

    def take(self, batch: Batch) -> None:
        """Add frames up; show the newest of them, and the sum, when it is time."""
        if not len(batch):
            return
        self._sum += np.add.reduce(batch.pixels, axis=0, dtype=np.uint32)
        self._frames += len(batch)
        now = self._clock()
        if now >= self._next_preview_s:
            self._next_preview_s = now + PREVIEW_EVERY_S
            self._show_newest(batch)
        if now >= self._next_sum_s:
            self._next_sum_s = now + SUM_EVERY_S
            self._show_sum()

    def tell(self, located: Located) -> None:
        """Show where molecules were found in the frames that were shown."""
        if not self._awaited or not len(located.index):
            return
        frame = np.asarray(located.table["frame"])
        for index in [index for index in self._awaited if index <= located.index[-1]]:
            self._awaited.remove(index)
            if index in located.index:
                rows = located.table.where(frame == index)
                self._viewers.found(index, np.column_stack([rows["x_nm"], rows["y_nm"]]).astype(np.float32))

    @property
    def sum(self) -> NDArray[np.float64]:
        """The sum of all frames, (y, x) ADU."""
        return self._sum.copy()

    def close(self) -> None:
        """Show the sum of all frames."""
        if self._frames:
            self._show_sum()

    def _show_newest(self, batch: Batch) -> None:
        camera_s, host_s, z_um = (float(at[-1]) for at in (batch.camera_time_s, batch.host_time_s, batch.stage_z_um))
        frame = Frame(np.asarray(batch.pixels[-1]), int(batch.index[-1]), camera_s, host_s, z_um)
        self._viewers.preview(frame)
        self._awaited.append(frame.index)

    def _show_sum(self) -> None:
        self._viewers.sum(self._sum.astype(np.float32), self._frames)
