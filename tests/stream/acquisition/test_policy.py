"""Order is kept, and what is rescued is whole, at the moments that two processes rarely hit."""

import numpy as np
import pytest

from stream.acquisition.policy import Lossless
from stream.acquisition.ring import Ring
from stream.acquisition.spool import Spool
from stream.books.ledger import Ledger
from stream.frame import Frame

SHAPE = (2, 3)


def frame(index: int) -> Frame:
    return Frame(np.full(SHAPE, index, np.uint16), index)


class BusyRing(Ring):
    """The reader gives slots back just after the writer has found the ring full."""

    reader_acts = staticmethod(lambda: None)

    @property
    def full(self) -> bool:
        full = super().full
        if full:
            self.reader_acts()
        return full


@pytest.fixture
def ring():
    with BusyRing.create(SHAPE, 4, {"analyse": "lossless"}) as ring:
        yield ring


@pytest.fixture
def spool(tmp_path):
    spool = Spool(tmp_path / "spool", SHAPE)
    yield spool
    spool.close()


@pytest.fixture
def ledger():
    return Ledger(True)


@pytest.fixture
def feed(ring, spool, ledger):
    return Lossless(ring, spool, lambda: ledger, wait=None)


def take(reader, frames: int = 99) -> list[int]:
    taken = []
    while frames and (batch := reader.lease(frames)) is not None:
        taken += batch.index.tolist()
        frames -= len(batch)
        reader.release()
    return taken


def test_a_new_frame_never_overtakes_those_in_the_spool(ring, spool, feed):
    reader, taken = ring.reader("analyse"), []
    for index in range(6):
        feed.put(frame(index))
    assert len(spool) == 2
    ring.reader_acts = lambda: taken.extend(take(reader, 1))
    for index in range(6, 12):
        feed.put(frame(index))
    while feed.waiting:
        feed.pump()
    taken += take(reader)
    assert taken == list(range(12))


def test_rescue_keeps_each_frame_once(ring, spool, feed, ledger):
    """Some frames of the ring have come from the spool, whose file still holds them."""
    for index in range(8):
        feed.put(frame(index))
    assert take(ring.reader("analyse"), 3) == [0, 1, 2]
    feed.pump()
    feed.rescue()
    feed.put(frame(8))
    assert [kept.index for kept in Spool.open_existing(spool.folder)] == [3, 4, 5, 6, 7, 8]
    assert ledger.spilled.to_list() == [(3, 8)]
    assert feed.waiting == 0
