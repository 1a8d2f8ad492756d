"""By count or by deadline, whichever comes first; the test holds the clock."""

from math import nan

import numpy as np
import pytest

from stream.acquisition.batcher import Batcher
from stream.acquisition.ring import Ring
from stream.frame import Frame

SHAPE = (2, 3)


def frame(index: int, host_time_s: float = nan) -> Frame:
    return Frame(np.full(SHAPE, index, np.uint16), index, host_time_s=host_time_s)


class Clock:
    """Time that passes only while somebody waits; what is planned happens at its time."""

    def __init__(self):
        self.now_s, self.plan = 0.0, []

    def __call__(self) -> float:
        return self.now_s

    def wait(self, seconds: float) -> None:
        assert seconds > 0
        self.now_s += seconds
        while self.plan and self.plan[0][0] <= self.now_s:
            self.plan.pop(0)[1]()
        assert self.now_s < 60, "the batcher waits for ever"


@pytest.fixture(params=["lossless", "newest"])
def ring(request):
    with Ring.create(SHAPE, 8, {"analyse": request.param}) as ring:
        yield ring


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def batcher(ring, clock):
    return Batcher(ring.reader("analyse"), frames=4, deadline_s=1.0, clock=clock, wait=clock.wait)


def test_a_full_batch_waits_for_nothing(ring, clock, batcher):
    for index in range(5):
        ring.write(frame(index, 0.0))
    assert batcher.next().index.tolist() == [0, 1, 2, 3]
    assert clock.now_s == 0


def test_the_deadline_counts_from_the_arrival_of_the_oldest_frame(ring, clock, batcher):
    clock.plan = [(2.0, lambda: ring.write(frame(0, 2.0))), (2.7, lambda: ring.write(frame(1, 2.7)))]
    assert batcher.next().index.tolist() == [0, 1]
    assert clock.now_s == pytest.approx(3.0, abs=0.01)


def test_a_frame_that_waited_elsewhere_is_handed_out_at_once(ring, clock, batcher):
    clock.now_s = 50.0
    ring.write(frame(0, 2.0))
    assert batcher.next().index.tolist() == [0]
    assert clock.now_s == 50.0


def test_without_a_host_time_the_deadline_counts_from_when_it_was_seen(ring, clock, batcher):
    clock.plan = [(2.0, lambda: ring.write(frame(0)))]
    assert batcher.next().index.tolist() == [0]
    assert clock.now_s == pytest.approx(3.0, abs=0.01)


def test_the_end_of_the_stream_does_not_wait_for_the_deadline(ring, clock, batcher):
    ring.write(frame(0, 0.0))
    clock.plan = [(0.1, ring.finish)]
    assert batcher.next().index.tolist() == [0]
    assert clock.now_s == pytest.approx(0.1, abs=0.01)
    batcher.done()
    assert batcher.next() is None
    assert batcher.next() is None


def test_gaps_are_handed_on_in_order(ring, batcher):
    for index in (3, 4, 9, 20):
        ring.write(frame(index, 0.0))
    assert batcher.next().index.tolist() == [3, 4, 9, 20]


def test_every_frame_is_handed_out_once(ring, clock, batcher):
    """A long stream through a small ring, whose end cuts batches."""
    got = []
    for first in range(0, 60, 3):
        for index in range(first, first + 3):
            assert ring.write(frame(index, clock()))
        batch = batcher.next()
        assert (batch.pixels == batch.index[:, None, None]).all()
        got += batch.index.tolist()
        batcher.done()
    ring.finish()
    while (batch := batcher.next()) is not None:
        got += batch.index.tolist()
        batcher.done()
    assert got == list(range(60))


def test_a_ring_smaller_than_a_batch_is_no_reason_to_wait(ring, clock):
    batcher = Batcher(ring.reader("analyse"), frames=100, deadline_s=1.0, clock=clock, wait=clock.wait)
    for index in range(8):
        ring.write(frame(index, 0.0))
    assert len(batcher.next()) == 8
    assert clock.now_s == 0


def test_what_the_callers_chores_raise_ends_the_wait(ring, clock):
    def chores(seconds: float) -> None:
        raise InterruptedError

    batcher = Batcher(ring.reader("analyse"), clock=clock, wait=chores)
    with pytest.raises(InterruptedError):
        batcher.next()


def test_slots_are_held_until_done():
    with Ring.create(SHAPE, 4, {"analyse": "lossless"}) as ring:
        batcher = Batcher(ring.reader("analyse"), frames=2)
        for index in range(4):
            ring.write(frame(index, 0.0))
        batcher.next()
        assert not ring.write(frame(4))
        batcher.done()
        assert ring.write(frame(4))
