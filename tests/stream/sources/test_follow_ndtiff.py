"""Following NDTiff while another process writes it, and every way in which that may end."""

import os
import shutil
from contextlib import closing, contextmanager
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from ndstorage import ndtiff_file

from stream.errors import FrameFormatError, SourceFault
from stream.frame import Frame
from stream.sources.follow import FollowSettings, FollowSource
from stream.sources.stacks.ndtiff_index import INDEX, IndexReader
from tests.contracts import SourceContract
from tests.stream.sources.acquisitions import ROOM_BYTES, Steps, Writer, movie, over_time, write_ndtiff, write_on_demand

FILE = "NDTiffStack.tif"


def taken(source: FollowSource) -> list[Frame]:
    with closing(source):
        return [frame for frame in source.frames() if frame is not None]


def check(frames: list[Frame], stack: np.ndarray) -> None:
    assert [frame.index for frame in frames] == list(range(len(stack)))
    np.testing.assert_array_equal([frame.pixels for frame in frames], stack)


class TestFollowing(SourceContract):
    """What is there already and has been closed is taken at once."""

    kind = "follow"

    @pytest.fixture
    def expected(self):
        return movie(9)

    @pytest.fixture
    def settings(self, tmp_path, expected):
        return FollowSettings(path=write_ndtiff(tmp_path / "run", over_time(expected)))

    @pytest.fixture
    def source(self, settings):
        clock = Steps()
        return FollowSource(settings, clock, clock.sleep)


@contextmanager
def acquisition(folder: Path, frames: int, file_bytes: int = 10**9):
    """Start a process that writes so many frames, and closes the dataset when it is told to."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=write_on_demand, args=(folder, frames, theirs, file_bytes))
    process.start()
    theirs.close()
    try:
        yield process, ours
    finally:
        process.kill()
        process.join(10)
        process.close()
        ours.close()


def test_every_frame_of_another_process_comes_once_and_in_order_from_before_the_folder_is_there(tmp_path):
    source = FollowSource(FollowSettings(path=tmp_path / "run"))
    with acquisition(tmp_path / "run", 400, file_bytes=200_000) as (_, orders):
        orders.send("close when all is written")
        info = source.open()
        frames = taken(source)
    assert (info.verifiable, info.waits, info.frames) == (True, True, None)
    assert len(list((tmp_path / "run").glob("*.tif"))) > 3
    check(frames, movie(400))
    np.testing.assert_allclose([frame.camera_time_s for frame in frames], np.arange(400) / 100 + 0.005)
    assert not source.remarks


def test_a_writer_that_is_killed_leaves_what_its_index_tells_and_the_end_is_said(tmp_path):
    source = FollowSource(FollowSettings(path=tmp_path / "run", idle_s=0.3))
    with acquisition(tmp_path / "run", 400) as (process, orders):
        source.open()
        assert orders.recv() == "written"
        process.kill()
        frames = taken(source)
    assert 300 < len(frames) < 400
    check(frames, movie(400)[: len(frames)])
    (remark,) = source.remarks
    assert f"no image came in {tmp_path / 'run'} for 0.3 s" in remark


def follow(writer_steps, **settings) -> FollowSource:
    clock = Steps(writer_steps)
    return FollowSource(FollowSettings(**settings), clock, clock.sleep)


def test_a_slow_writer_is_waited_for(tmp_path):
    stack, writer = movie(8), Writer(tmp_path / "run")

    def put(number: int) -> None:
        writer.put({"time": number}, stack[number])
        writer.flush()

    wait = [lambda: None] * 250  # 2.5 s of the clock, idle_s is 3
    steps = [step for number in range(8) for step in (lambda number=number: put(number), *wait)]
    source = follow([*steps, writer.finish], path=tmp_path / "run", idle_s=3.0)
    source.open()
    check(taken(source), stack)
    assert not source.remarks


def test_planned_images_end_the_stream_though_the_dataset_stays_open(tmp_path):
    writer = Writer(tmp_path / "run", {"IntendedDimensions": {"time": 8, "channel": 1}})
    for axes, pixels in over_time(movie(8)):
        writer.put(axes, pixels)
    writer.flush()
    source = follow([], path=tmp_path / "run")
    assert source.open().frames == 8
    check(taken(source), movie(8))
    assert not source.remarks
    source.close()
    writer.finish()


def test_a_single_image_is_taken_once_its_dataset_is_closed(tmp_path):
    source = follow([], path=write_ndtiff(tmp_path / "run", over_time(movie(1))))
    assert source.open().verifiable
    check(taken(source), movie(1))


def test_an_index_ahead_of_its_images_never_gives_a_black_frame(tmp_path):
    """As on a network disk: the file has its length, but from the fourth image on it is zeros."""
    path = write_ndtiff(tmp_path / "run", over_time(movie(8)))
    whole = (path / FILE).read_bytes()
    half = whole[: len(whole) // 2]
    (path / FILE).write_bytes(half + bytes(len(whole) - len(half)))

    def arrive() -> None:
        with (path / FILE).open("r+b") as file:
            file.write(whole)

    source = follow([lambda: None] * 50 + [arrive], path=path)
    source.open()
    check(taken(source), movie(8))


@pytest.mark.parametrize("cut", ["short", "zeros", "no file"])
def test_half_an_image_is_waited_for_and_then_named(tmp_path, cut):
    path = write_ndtiff(tmp_path / "run", over_time(movie(8)))
    length = (path / FILE).stat().st_size
    source = follow([], path=path, idle_s=2.0, timeout_s=4.0)
    if cut == "no file":
        (path / FILE).unlink()
        with pytest.raises(SourceFault, match=r"within 4 s; half an image: there is no file NDTiffStack\.tif"):
            source.open()
        return
    os.truncate(path / FILE, length // 2)
    if cut == "zeros":
        os.truncate(path / FILE, length)
    source.open()
    got: list[int] = []
    with pytest.raises(SourceFault, match="nothing came for 2 s") as error:
        got.extend(frame.index for frame in source.frames() if frame)
    assert got == [0, 1, 2]
    assert FILE in error.value.what
    assert "idle_s" in error.value.remedy
    source.close()


def test_a_channel_is_picked_and_keeps_its_time(tmp_path):
    stack = movie(8)
    images = [({"time": number // 2, "channel": "RG"[number % 2]}, pixels) for number, pixels in enumerate(stack)]
    source = follow([], path=write_ndtiff(tmp_path / "run", images), axes={"channel": "G"})
    assert source.open().verifiable
    frames = taken(source)
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    np.testing.assert_array_equal([frame.pixels for frame in frames], stack[1::2])


def test_a_channel_that_is_not_there_is_refused_with_those_that_are(tmp_path):
    images = [({"time": 0, "channel": name}, movie(1)[0]) for name in ("GFP", "Cy5")]
    source = follow([], path=write_ndtiff(tmp_path / "run", images), axes={"channel": "Cy3"}, timeout_s=1.0)
    with pytest.raises(FrameFormatError, match="no image with channel = 'Cy3'") as error:
        source.open()
    assert "channel 'GFP', 'Cy5'" in error.value.limit


@pytest.mark.parametrize(("axis", "named"), [("z", "z moves too"), ("position", "more than one position")])
def test_an_axis_that_begins_to_move_ends_the_stream_by_name(tmp_path, axis, named):
    writer, stack = Writer(tmp_path / "run"), movie(9)

    def put(first: int) -> None:
        for number in range(first, first + 3):
            writer.put({"time": number % 3, axis: number // 3}, stack[number])
        writer.flush()

    put(0)
    source, got = follow([lambda: put(3)], path=tmp_path / "run"), []
    source.open()
    with pytest.raises(FrameFormatError, match=named):
        got.extend(frame.index for frame in source.frames() if frame)
    assert got == [0, 1, 2]
    source.close()
    writer.finish()


def test_a_folder_that_never_comes_is_named_with_what_is_there(tmp_path):
    (tmp_path / "run_1").mkdir()
    with pytest.raises(SourceFault, match=r"no image came in .*run_2 within 5 s") as error:
        follow([], path=tmp_path / "run_2", timeout_s=5.0).open()
    assert f"{tmp_path}, holds run_1" in error.value.limit
    assert "timeout_s" in error.value.remedy


def test_a_file_is_refused_at_once(tmp_path):
    (tmp_path / INDEX).write_bytes(b"")
    with pytest.raises(FrameFormatError, match="is a file"):
        follow([], path=tmp_path / INDEX).open()


def test_the_first_file_of_a_dataset_without_its_index_is_no_folder_of_tiff_files(tmp_path):
    """Writers make the file first: it must not be taken for a picture of somebody else."""
    path = write_ndtiff(tmp_path / "run", over_time(movie(8)))
    index = (path / INDEX).read_bytes()
    (path / INDEX).unlink()
    source = follow([lambda: None, lambda: (path / INDEX).write_bytes(index)], path=path)
    assert source.open().verifiable
    check(taken(source), movie(8))


def test_room_that_is_made_in_advance_is_neither_an_image_nor_the_end(tmp_path):
    """As Micro-Manager's own writer does it: index and file have room behind them until both are cut at the end."""
    path, stack = write_ndtiff(tmp_path / "run", over_time(movie(8))), movie(8)
    index, ends = (path / INDEX).read_bytes(), [(path / FILE).stat().st_size, (path / INDEX).stat().st_size]
    half = len(index) // 2

    def room(written: int) -> None:
        (path / INDEX).write_bytes(index[:written] + bytes(100_000 - written))

    def cut() -> None:
        os.truncate(path / FILE, ends[0])
        os.truncate(path / INDEX, ends[1])

    os.truncate(path / FILE, 4 * 2**30)
    room(half)
    pause = [lambda: None] * 500
    source = follow([*pause, lambda: room(half + 7), *pause, lambda: room(len(index)), *pause, cut], path=path)
    source.open()
    frames = taken(source)
    check(frames, stack)
    assert frames[-1].host_time_s - frames[0].host_time_s > 9
    assert not source.remarks


@pytest.mark.parametrize(("room_bytes", "wait_s"), [(0, 0.5), (1000, 5.0)])
def test_a_full_file_whose_successor_is_not_there_yet_is_not_the_end(tmp_path, monkeypatch, room_bytes, wait_s):
    """An index with room behind it, as Micro-Manager's own, is closed when that is cut, however long it takes."""
    monkeypatch.setattr(ndtiff_file, "MAX_FILE_SIZE", ROOM_BYTES + 10_000)
    path = write_ndtiff(tmp_path / "run", over_time(movie(8)))
    first, *others = sorted(path.glob("*.tif"), key=lambda file: (len(file.name), file.name))
    index, entries = (path / INDEX).read_bytes(), list(IndexReader(path / INDEX).read())
    inside = sum(entry.file == first.name for entry in entries)
    assert 2 <= inside < 8
    hidden = [(file, file.read_bytes()) for file in others]
    for file in others:
        file.unlink()
    (path / INDEX).write_bytes(index[: index.index(b'{"time": %d}' % inside) - 4] + bytes(room_bytes))

    def follow_on() -> None:
        for file, content in hidden:
            file.write_bytes(content)
        (path / INDEX).write_bytes(index)

    source = follow([lambda: None] * round(100 * wait_s) + [follow_on], path=path)
    source.open()
    check(taken(source), movie(8))


def test_a_folder_that_vanishes_is_named(tmp_path):
    path = write_ndtiff(tmp_path / "run", over_time(movie(8)))
    os.truncate(path / FILE, 4 * 2**30)
    source = follow([lambda: shutil.rmtree(path)], path=path)
    source.open()
    with closing(source), pytest.raises(SourceFault, match=r"NDTiff\.index cannot be read: No such file"):
        list(source.frames())
