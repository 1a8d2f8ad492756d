"""Sweeps of the stage are found in a stream, whatever is before, between and after them."""

from math import nan

import numpy as np
import pytest

from stream.frame import Batch
from stream.stages.sweep import Stack, Sweeps


def batch(stage_um: list[float], first: int = 0) -> Batch:
    """Frames whose pixels say their number."""
    index = np.arange(first, first + len(stage_um))
    pixels = np.broadcast_to(index[:, None, None], (len(index), 2, 2)).astype(np.uint16)
    none = np.full(len(index), nan)
    return Batch(pixels, index, none, none, np.array(stage_um))


def ended(stage_um: list[float], size: int = 100) -> list[Stack]:
    sweeps, found = Sweeps(), []
    for first in range(0, len(stage_um), size):
        found += sweeps.take(batch(stage_um[first : first + size], first))
    last = sweeps.end()
    return [*found, *([] if last is None else [last])]


UP = [0.0, 0.25, 0.5, 0.75, 1.0]


@pytest.mark.parametrize("size", [1, 3, 100])
def test_a_sweep_and_the_way_back_are_two(size: int) -> None:
    found = ended([*UP, *UP[-2::-1], -0.25], size)
    assert [stack.stage_um.tolist() for stack in found] == [UP, [0.75, 0.5, 0.25, 0.0, -0.25]]
    assert found[0].last == 4


def test_frames_of_one_position_are_one_slice() -> None:
    (found,) = ended([z + 1e-4 * k for z in UP for k in range(3)])
    assert found.frames.tolist() == [3] * 5
    assert np.allclose(found.adu[:, 0, 0], [1, 4, 7, 10, 13])


def test_frames_without_a_position_end_a_sweep() -> None:
    assert [stack.last for stack in ended([*UP, nan, nan, *UP])] == [4, 11]


@pytest.mark.parametrize("stage_um", [[nan] * 9, [0.0] * 9, UP[:4], [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]])
def test_a_focus_that_was_touched_is_no_sweep(stage_um: list[float]) -> None:
    assert ended(stage_um) == []
