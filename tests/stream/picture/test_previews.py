"""What viewers are shown of the camera: some frames, all of what was found in them, and the sum of every one."""

import numpy as np
import pytest

from models.localizations import Localizations
from stream.frame import Batch
from stream.picture import previews
from stream.picture.previews import Previews
from stream.stages.stage import Located


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Viewers:
    def __init__(self) -> None:
        self.frames, self.places, self.sums = [], {}, []

    def preview(self, frame) -> None:
        self.frames.append((frame.index, frame.pixels.copy()))

    def found(self, index, positions_nm) -> None:
        self.places[index] = positions_nm.tolist()

    def sum(self, picture, frames) -> None:
        self.sums.append((picture, frames))


def batch(first: int, last: int) -> Batch:
    index = np.arange(first, last + 1)
    pixels = np.broadcast_to((60_000 + index)[:, None, None], (len(index), 3, 4)).astype(np.uint16)
    return Batch(pixels, index, *np.full((3, len(index)), 0.5))


def located(frames, x_nm, first: int, last: int) -> Located:
    index = np.arange(first, last + 1)
    table = Localizations({"frame": np.array(frames), "x_nm": np.array(x_nm), "y_nm": np.array(x_nm) + 1})
    return Located(table, index, np.zeros(len(index)))


@pytest.fixture
def shown():
    clock, viewers = Clock(), Viewers()
    return Previews(3, 4, viewers, clock), viewers, clock


def test_frames_are_thinned_and_the_sum_is_of_all(shown):
    camera, viewers, clock = shown
    for k in range(20):
        camera.take(batch(10 * k, 10 * k + 9))
        clock.now_s += previews.PREVIEW_EVERY_S / 2
    assert [index for index, _ in viewers.frames] == list(range(9, 200, 20))
    camera.close()
    picture, frames = viewers.sums[-1]
    assert (frames, picture.dtype) == (200, np.float32)
    np.testing.assert_allclose(picture, 200 * 60_000 + 199 * 100, rtol=1e-7)
    assert len(viewers.sums) == 3


def test_what_was_found_in_a_frame_that_was_shown_follows_it(shown):
    camera, viewers, _ = shown
    camera.take(batch(0, 4))
    camera.tell(located([2, 3], [10.0, 11.0], 0, 3))
    assert not viewers.places
    camera.tell(located([4, 4, 5], [20.0, 30.0, 40.0], 4, 6))
    assert viewers.places == {4: [[20.0, 21.0], [30.0, 31.0]]}
    camera.tell(located([], [], 7, 9))
    assert len(viewers.places) == 1


def test_a_frame_without_molecules_is_said_to_have_none_and_a_skipped_one_is_not(shown):
    camera, viewers, clock = shown
    camera.take(batch(0, 4))
    clock.now_s += previews.PREVIEW_EVERY_S
    camera.take(batch(5, 9))
    camera.tell(located([], [], 6, 12))
    assert viewers.places == {9: []}


def test_nothing_is_shown_of_nothing(shown):
    camera, viewers, _ = shown
    camera.take(Batch.empty(3, 4))
    camera.close()
    assert not viewers.frames
    assert not viewers.sums
