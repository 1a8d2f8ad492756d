"""The ring against a plain-list model, the interleaving that loses pixels, and two real processes."""

import subprocess
import sys
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from stream.acquisition.ring import Ring
from stream.acquisition.ring_memory import remove_block
from stream.acquisition.ring_readers import NewestReader
from stream.errors import FrameFormatError, InputError, SourceFault
from stream.frame import Frame

SHAPE = (3, 5)
SPAWN = get_context("spawn")


def frame(index: int, shape: tuple[int, int] = SHAPE) -> Frame:
    """A frame whose every pixel tells its index."""
    return Frame(np.full(shape, index % 65_536, np.uint16), index, index / 10, index + 0.5, -index)


def intact(batch) -> list[int]:
    """Indices of a batch, after a look at every pixel and time."""
    index = batch.index
    assert (batch.pixels == (index % 65_536)[:, None, None]).all()
    assert (batch.camera_time_s == index / 10).all()
    assert (batch.host_time_s == index + 0.5).all()
    assert (batch.stage_z_um == -index).all()
    return index.tolist()


@pytest.fixture
def ring():
    with Ring.create(SHAPE, 4, {"analyse": "lossless", "preview": "newest"}) as ring:
        yield ring


class RingMachine(RuleBasedStateMachine):
    """Writer, lossless reader and newest-wins reader in any order, beside the list of all frames written."""

    def __init__(self):
        super().__init__()
        self.slots = 5
        self.ring = Ring.create(SHAPE, self.slots, {"analyse": "lossless", "preview": "newest"})
        self.lossless, self.newest = self.ring.reader("analyse"), self.ring.newest_reader("preview")
        self.next_index, self.written = 7, []
        self.read, self.taken, self.leased = 0, 0, None
        self.seen = 0

    def teardown(self):
        self.ring.close()

    @rule(gap=st.integers(1, 3))
    def write(self, gap):
        self.next_index += gap
        room = len(self.written) - self.taken < self.slots
        assert self.ring.write(frame(self.next_index)) == room
        if room:
            self.written.append(self.next_index)

    @precondition(lambda self: self.leased is None)
    @rule(max_frames=st.integers(1, 7))
    def lease(self, max_frames):
        batch = self.lossless.lease(max_frames)
        contiguous = self.slots - self.read % self.slots
        expected = self.written[self.read :][: min(max_frames, contiguous)]
        assert (batch is None) == (not expected)
        if batch is not None:
            self.leased = batch
            assert intact(batch) == expected

    @precondition(lambda self: self.leased is not None)
    @rule(keep=st.integers(0, 3))
    def release(self, keep):
        self.read += len(intact(self.leased))
        self.taken = max(self.taken, self.read - keep)
        self.leased = None
        self.lossless.release(keep)

    @rule()
    def take_newest(self):
        latest, skipped = self.newest.newest(), len(self.written) - self.seen - 1
        assert (latest is None) == (skipped < 0)
        if latest is not None:
            assert latest.index == self.written[-1]
            assert (latest.pixels == latest.index).all()
            self.seen = len(self.written)

    @rule(max_frames=st.integers(1, 7))
    def take_in_order(self, max_frames):
        lost = self.newest.overwritten
        batch = self.newest.lease(max_frames)
        self.seen += self.newest.overwritten - lost
        if batch is None:
            assert self.seen == len(self.written)
        else:
            assert intact(batch) == self.written[self.seen : self.seen + len(batch)]
            self.seen += len(batch)

    @invariant()
    def a_lease_never_changes(self):
        if self.leased is not None:
            intact(self.leased)

    @invariant()
    def the_counts_agree(self):
        assert self.ring.used_slots == len(self.written) - self.taken
        assert self.ring.full == (self.ring.used_slots == self.slots)
        assert self.lossless.waiting == len(self.written) - self.read
        assert self.newest.waiting == len(self.written) - self.seen


TestRingMachine = RingMachine.TestCase
TestRingMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_a_lossless_reader_is_never_overwritten_while_it_looks(ring):
    """Reader pops, writer overwrites, reader copies afterwards: here the writer is refused."""
    reader = ring.reader("analyse")
    for index in range(4):
        assert ring.write(frame(index))
    batch = reader.lease(2)
    assert not ring.write(frame(4))
    assert intact(batch) == [0, 1]
    reader.release()
    assert ring.write(frame(4))
    assert ring.write(frame(5))
    assert not ring.write(frame(6))


class Interrupted(NewestReader):
    """The writer comes in after the reader has seen what waits and before it copies the pixels."""

    def __init__(self, ring: Ring, frames: list[Frame]):
        super().__init__(ring._memory, "preview")
        self.ring, self.frames, self.looks = ring, frames, 0

    def _copy(self, max_frames):
        self.looks = 1
        return super()._copy(max_frames)

    @property
    def waiting(self):
        waiting = super().waiting
        if self.looks:
            while self.frames:
                self.ring.write(self.frames.pop(0))
        return waiting


@pytest.fixture
def free_ring():
    with Ring.create(SHAPE, 4, {"preview": "newest"}) as ring:
        yield ring


def test_a_newest_wins_reader_discards_what_was_overwritten_while_it_looked(free_ring):
    """Reader pops, writer overwrites, reader copies afterwards: here the copy is thrown away, and counted."""
    for index in range(4):
        free_ring.write(frame(index))
    reader = Interrupted(free_ring, [frame(4), frame(5)])
    assert intact(reader.lease(4)) == [2, 3]
    assert reader.overwritten == 2


def test_a_latest_frame_that_was_overwritten_is_replaced_by_a_later_one(free_ring):
    free_ring.write(frame(0))
    reader = Interrupted(free_ring, [frame(index) for index in range(1, 6)])
    latest = reader.newest()
    assert latest.index == 5
    assert (latest.pixels == 5).all()
    assert reader.replaced + reader.overwritten == 5


def test_a_frame_that_was_never_finished_is_not_read(free_ring):
    """The writer was killed in the middle of a frame: the slot holds half of it."""
    for index in range(4):
        free_ring.write(frame(index))
    free_ring._memory.stamps[0] = -1
    free_ring._memory.pixels[0] = 9_999
    reader = free_ring.newest_reader("preview")
    assert intact(reader.lease(9)) == [1, 2, 3]
    assert reader.overwritten == 1


def test_a_newest_wins_reader_that_was_overtaken_goes_on_in_order(free_ring):
    reader = free_ring.newest_reader("preview")
    for index in range(10):
        free_ring.write(frame(index))
    taken = [index for batch in iter(lambda: reader.lease(16), None) for index in intact(batch)]
    assert taken == list(range(taken[0], 10))
    assert reader.overwritten == taken[0]


def test_pixels_of_a_lease_are_read_only_and_in_the_ring(ring):
    ring.write(frame(0))
    batch = ring.reader("analyse").lease(1)
    assert np.shares_memory(batch.pixels, ring._memory.pixels)
    with pytest.raises(ValueError, match="read-only"):
        batch.pixels[0, 0, 0] = 1


def test_a_second_lease_is_refused(ring):
    reader = ring.reader("analyse")
    ring.write(frame(0))
    reader.lease(1)
    with pytest.raises(RuntimeError, match="release it first"):
        reader.lease(1)


def test_a_reader_that_was_given_up_blocks_no_longer_and_is_told(ring):
    reader = ring.reader("analyse")
    assert [ring.write(frame(index)) for index in range(5)] == [True] * 4 + [False]
    ring.detach("analyse")
    assert ring.write(frame(5))
    with pytest.raises(SourceFault, match="given up"):
        reader.lease(1)


def test_kept_frames_are_those_not_given_back(ring):
    reader = ring.reader("analyse")
    for index in range(4):
        ring.write(frame(index))
    reader.lease(1)
    reader.release()
    reader.lease(1)
    ring.write(frame(4))
    assert [kept.index for kept in ring.kept()] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "pixels", [np.zeros((3, 4), np.uint16), np.zeros((1, 5), np.uint16), np.zeros(SHAPE, np.float32)]
)
def test_a_frame_of_another_kind_is_refused(ring, pixels):
    with pytest.raises(FrameFormatError, match="uint16 of shape"):
        ring.write(Frame(pixels, 0))
    assert ring.used_slots == 0


def test_a_ring_too_small_is_refused():
    with pytest.raises(InputError, match="ring_mb"):
        Ring.create(SHAPE, 1, {})


def test_a_ring_that_is_not_there():
    with pytest.raises(InputError, match="no ring called"):
        Ring.attach("livesmlm-nobody")


def test_a_batch_outlives_its_ring():
    with Ring.create(SHAPE, 4, {"analyse": "lossless"}) as ring:
        ring.write(frame(3))
        batch = ring.reader("analyse").lease(1)
    assert intact(batch) == [3]


def write_frames(name, slots, frames, done):
    """Writer's process: creates the ring, waits for room, and leaves when it is told."""
    with Ring.create((64, 64), slots, {"analyse": "lossless", "preview": "newest"}) as ring:
        name.send(ring.name)
        for index in range(frames):
            while not ring.write(frame(index, (64, 64))):
                done.poll(0.001)
        ring.finish()
        done.recv()


def test_two_processes_pass_every_frame_whole():
    name, their_name = SPAWN.Pipe()
    done, their_done = SPAWN.Pipe()
    frames = 5_000
    writer = SPAWN.Process(target=write_frames, args=(their_name, 16, frames, their_done))
    writer.start()
    assert name.poll(20)
    with Ring.attach(name.recv()) as ring:
        lossless, newest = ring.reader("analyse"), ring.newest_reader("preview")
        got, latest = [], [-1]
        while not lossless.finished or lossless.waiting:
            if (batch := lossless.lease(8)) is not None:
                got += intact(batch)
                lossless.release()
            if (seen := newest.newest()) is not None:
                assert (seen.pixels == seen.index).all()
                latest.append(seen.index)
        done.send("done")
        writer.join(20)
        assert writer.exitcode == 0
        assert got == list(range(frames))
        assert latest == sorted(set(latest))
        assert len(latest) - 1 + newest.replaced + newest.overwritten + newest.waiting == frames
    for end in (name, their_name, done, their_done):
        end.close()
    writer.close()


def write_without_end(name):
    with Ring.create((64, 64), 8, {"analyse": "newest"}) as ring:
        name.send(ring.name)
        index = 0
        while True:
            ring.write(frame(index, (64, 64)))
            index += 1


def test_a_newest_wins_reader_beside_a_writer_that_never_waits_sees_only_whole_frames():
    name, theirs = SPAWN.Pipe()
    writer = SPAWN.Process(target=write_without_end, args=(theirs,))
    writer.start()
    assert name.poll(20)
    with Ring.attach(name.recv()) as ring:
        reader, got = ring.newest_reader("analyse"), []
        while len(got) < 1_000 or not reader.overwritten:
            if (batch := reader.lease(4)) is not None:
                got += intact(batch)
        writer.kill()
        writer.join(20)
        got += [index for batch in iter(lambda: reader.lease(4), None) for index in intact(batch)]
        assert got == sorted(set(got))
        assert len(got) + reader.overwritten == got[-1] + 1
        remove_block(ring.name)
    for end in (name, theirs):
        end.close()
    writer.close()


def test_a_stranger_that_attaches_does_not_take_the_ring_away(ring):
    """A process with a resource tracker of its own, which cleans up after it."""
    code = f"from stream.acquisition.ring import Ring; print(Ring.attach({ring.name!r}).slots)"
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=60, check=True
    )
    assert (done.stdout, done.stderr) == ("4\n", "")
    Ring.attach(ring.name).close()


def lease_and_hang(name, pipe):
    with Ring.attach(name) as ring:
        ring.reader("analyse").lease(2)
        pipe.send("leased")
        pipe.recv()


def test_a_killed_reader_neither_removes_the_ring_nor_stops_the_writer_for_ever(ring):
    for index in range(4):
        ring.write(frame(index))
    pipe, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=lease_and_hang, args=(ring.name, theirs))
    process.start()
    assert pipe.poll(20)
    assert pipe.recv() == "leased"
    process.kill()
    process.join(20)
    assert not ring.write(frame(4))
    assert [kept.index for kept in ring.kept()] == [0, 1, 2, 3]
    ring.detach("analyse")
    assert ring.write(frame(4))
    Ring.attach(ring.name).close()
    for end in (pipe, theirs):
        end.close()
    process.close()
