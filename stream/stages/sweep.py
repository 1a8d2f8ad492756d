"""Bead stacks inside a stream: frames whose stage moves one way become one stack, frames of one position one slice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stream.frame import Batch

SAME_UM = 0.002
"""Positions closer than this are one slice."""
FEWEST_SLICES, LEAST_RANGE_UM = 5, 0.8
"""What does not reach so far tells too little of a pupil; it is a focus that was touched."""


@dataclass(frozen=True, slots=True)
class Stack:
    """One sweep of the stage.

    Parameters
    ----------
    adu : (z, y, x) float32
        Mean over the frames of each slice.
    frames : (z,) int64
        How many there were.
    stage_um : (z,) float64
    last : int
        Index of its newest frame.
    """

    adu: NDArray[np.float32]
    frames: NDArray[np.int64]
    stage_um: NDArray[np.float64]
    last: int


class _Slice:
    """Frames of one position of the stage, added up."""

    def __init__(self, pixels: NDArray[np.uint16], stage_um: float) -> None:
        self.total, self.count, self.stage_um = pixels.astype(np.float32), 1, stage_um

    def add(self, pixels: NDArray[np.uint16]) -> None:
        self.total += pixels
        self.count += 1


class Sweeps:
    """Finds sweeps in a stream; frames without a stage position end one."""

    def __init__(self) -> None:
        self._slices: list[_Slice] = []
        self._last = -1

    def take(self, batch: Batch) -> list[Stack]:
        """Return the sweeps that ended with these frames; the batch's pixels are copied."""
        ended = [self._add(batch.pixels[k], float(batch.stage_z_um[k]), int(batch.index[k])) for k in range(len(batch))]
        return [stack for stack in ended if stack is not None]

    def end(self) -> Stack | None:
        """Return the sweep up to now, if it is one; the next frame begins another."""
        slices, self._slices = self._slices, []
        if len(slices) < FEWEST_SLICES or abs(slices[-1].stage_um - slices[0].stage_um) < LEAST_RANGE_UM:
            return None
        return Stack(
            np.stack([s.total / s.count for s in slices]), np.array([s.count for s in slices]),
            np.array([s.stage_um for s in slices]), self._last,
        )  # fmt: skip

    def _add(self, pixels: NDArray[np.uint16], stage_um: float, index: int) -> Stack | None:
        if stage_um != stage_um:
            return self.end()
        slices, ended = self._slices, None
        if slices and abs(stage_um - slices[-1].stage_um) < SAME_UM:
            slices[-1].add(pixels)
        else:
            if len(slices) > 1 and (stage_um - slices[-1].stage_um) * (slices[-1].stage_um - slices[0].stage_um) < 0:
                ended = self.end()
            self._slices.append(_Slice(pixels, stage_um))
        self._last = index
        return ended
