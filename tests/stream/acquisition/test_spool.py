"""The spool gives back every frame, oldest first, and what it holds survives."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.acquisition.spool import Spool, record_dtype
from stream.errors import FrameFormatError, OutputError, StorageFault
from stream.frame import Frame

SHAPE = (4, 6)
RECORD_BYTES = record_dtype(SHAPE).itemsize


def frame(index: int) -> Frame:
    return Frame(np.full(SHAPE, index, np.uint16), index, index / 10, index + 0.5, -index)


def whole(got: Frame) -> int:
    assert (got.pixels == got.index).all()
    assert got.pixels.dtype == np.uint16
    assert (got.camera_time_s, got.host_time_s, got.stage_z_um) == (got.index / 10, got.index + 0.5, -got.index)
    return got.index


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "out" / "spool"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.booleans(), max_size=60), st.integers(1, 5))
def test_first_in_first_out(tmp_path_factory, steps, per_segment):
    folder, queue, index = tmp_path_factory.mktemp("spool") / "spool", [], 0
    spool = Spool(folder, SHAPE, per_segment * RECORD_BYTES)
    for append in steps:
        if append:
            index += 1
            spool.append(frame(index))
            queue.append(index)
        elif queue:
            assert whole(spool.pop()) == queue.pop(0)
        assert len(spool) == len(queue)
        files = len(list(folder.glob("*.frames")))
        assert files <= len(queue) // per_segment + 2
    if queue:
        left = [whole(kept) for kept in Spool.open_existing(folder)]
        assert left[len(left) - len(queue) :] == queue
        assert left == sorted(set(left))
    spool.close()
    assert folder.exists() == bool(queue)


def test_pop_from_an_empty_spool(folder):
    with pytest.raises(IndexError):
        Spool(folder, SHAPE).pop()


def test_frames_left_behind_are_found_again(folder):
    spool = Spool(folder, SHAPE, 2 * RECORD_BYTES)
    for index in range(5):
        spool.append(frame(index))
    spool.close()
    left = Spool.open_existing(folder)
    assert left.shape == SHAPE
    assert len(left) == 5
    assert [whole(kept) for kept in left] == [whole(kept) for kept in left] == list(range(5))


def test_rescued_frames_come_first(folder):
    """Older frames from the ring are put in front; newer ones still follow."""
    spool = Spool(folder, SHAPE)
    for index in (10, 11):
        spool.append(frame(index))
    assert spool.oldest_on_disk == 10
    spool.cut()
    for index in (7, 8):
        spool.append(frame(index))
    spool.cut()
    spool.append(frame(12))
    spool.close()
    assert [whole(kept) for kept in Spool.open_existing(folder)] == [7, 8, 10, 11, 12]


def test_a_frame_written_in_part_does_not_count(folder):
    spool = Spool(folder, SHAPE)
    for index in range(3):
        spool.append(frame(index))
    spool.close()
    path = next(folder.glob("*.frames"))
    path.write_bytes(path.read_bytes()[:-5])
    left = Spool.open_existing(folder)
    assert [whole(kept) for kept in left] == [0, 1]
    assert len(left) == 2


def test_a_segment_that_was_cut_is_a_storage_fault(folder):
    spool = Spool(folder, SHAPE)
    spool.append(frame(0))
    next(folder.glob("*.frames")).write_bytes(b"")
    with pytest.raises(StorageFault, match="shorter than it was written"):
        spool.pop()
    spool.close()


@pytest.mark.skipif(sys.platform == "win32", reason="a limit on the size of files stands for the full disk")
def test_a_full_disk_leaves_what_was_spooled_readable(folder):
    import resource

    spool = Spool(folder, SHAPE)
    spool.append(frame(0))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (RECORD_BYTES * 5 // 2, limits[1]))
    try:
        spool.append(frame(1))
        with pytest.raises(StorageFault, match="MB are needed") as fault:
            spool.append(frame(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "frame 2 could not be written" in fault.value.what
    assert "the 2 frames in the spool are safe" in fault.value.remedy
    spool.append(frame(3))
    assert [whole(spool.pop()) for _ in range(3)] == [0, 1, 3]
    spool.close()


def test_a_folder_of_an_earlier_run_is_refused(folder):
    spool = Spool(folder, SHAPE)
    spool.append(frame(0))
    spool.close()
    with pytest.raises(OutputError, match="earlier run"):
        Spool(folder, SHAPE)


@pytest.mark.parametrize(
    "description",
    [
        None,
        "{",
        "[]",
        '{"version": 1, "dtype": "uint16"}',
        '{"version": 1, "dtype": "uint16", "shape": [0, 5]}',
        '{"version": 1, "dtype": "uint16", "shape": [4, 1000000000]}',
        '{"version": 1, "dtype": "float64", "shape": [4, 6]}',
        '{"version": 2, "dtype": "uint16", "shape": [4, 6]}',
    ],
)
def test_a_folder_that_is_no_spool_is_refused(tmp_path, description):
    if description is not None:
        (tmp_path / "spool.json").write_text(description)
    with pytest.raises(FrameFormatError, match="cannot be read as a spool"):
        Spool.open_existing(tmp_path)
