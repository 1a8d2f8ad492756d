"""Following a folder of TIFF files while it grows: numbers in names, stacks of pages, files that are half written."""

from collections.abc import Callable, Iterable
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from stream.errors import FrameFormatError, SourceFault
from stream.frame import Frame
from stream.sources.follow import FollowSettings, FollowSource
from stream.sources.growing.file_numbers import FileNumber, counting_number
from stream.sources.growing.tiff_folder import LATE, OTHER_NAME
from tests.contracts import SourceContract
from tests.stream.sources.acquisitions import Steps, movie


def write(folder: Path, number: int, pixels: np.ndarray, name: str = "img_{:03d}.tif") -> Path:
    path = folder / name.format(number)
    tifffile.imwrite(path, pixels, photometric="minisblack")
    return path


def follow(path: Path, steps: Iterable[Callable[[], object]] = (), **settings: object) -> FollowSource:
    clock = Steps(steps)
    return FollowSource(FollowSettings(path=path, **settings), clock, clock.sleep)


def taken(source: FollowSource) -> list[Frame]:
    return [frame for frame in source.frames() if frame is not None]


class FolderContract(SourceContract):
    kind = "follow"

    @pytest.fixture
    def expected(self):
        return movie(7)

    @pytest.fixture
    def settings(self, tmp_path, expected):
        self.write(tmp_path, expected)
        return FollowSettings(path=tmp_path, idle_s=2.0)

    @pytest.fixture
    def source(self, settings):
        clock = Steps()
        return FollowSource(settings, clock, clock.sleep)


class TestAFileForEachFrame(FolderContract):
    def write(self, folder, stack):
        for number, pixels in enumerate(stack, start=4):
            write(folder, number, pixels, "run3_{}.tif")


class TestStacksOfPages(FolderContract):
    def write(self, folder, stack):
        write(folder, 9, stack[:4], "part_{}.tif")
        write(folder, 10, stack[4:], "part_{}.tif")


class TestOneStack(FolderContract):
    def write(self, folder, stack):
        tifffile.imwrite(folder / "stack.ome.tif", stack, photometric="minisblack", metadata={"axes": "TYX"})


def test_a_number_in_the_name_is_the_index_and_a_gap_is_seen(tmp_path):
    stack = movie(5)
    for number, pixels in zip((8, 9, 10, 13, 100), stack, strict=True):
        write(tmp_path, number, pixels, "run_2_img_{}_GFP.tif")
    source = follow(tmp_path)
    assert source.open().verifiable
    frames = taken(source)
    assert [frame.index for frame in frames] == [8, 9, 10, 13, 100]
    np.testing.assert_array_equal([frame.pixels for frame in frames], stack)
    assert "for 30 s, which was taken for the end" in source.remarks[0]


def test_files_are_taken_as_they_come_and_each_once(tmp_path):
    stack = movie(20)
    pause = [lambda: None] * 30
    steps = [
        step for number in range(20) for step in (lambda number=number: write(tmp_path, number, stack[number]), *pause)
    ]
    source = follow(tmp_path, steps, idle_s=1.0)
    source.open()
    frames = taken(source)
    assert [frame.index for frame in frames] == list(range(20))
    np.testing.assert_array_equal([frame.pixels for frame in frames], stack)
    waited = np.diff([frame.host_time_s for frame in frames][2:])
    assert waited.max() < 0.4  # one file in 0.31 s of the clock: none waits for the next


def write_files(folder: Path, frames: int) -> None:
    """Be the program that writes."""
    for number, pixels in enumerate(movie(frames)):
        write(folder, number, pixels)


def test_every_file_of_another_process_comes_once_and_in_order(tmp_path):
    process = get_context("spawn").Process(target=write_files, args=(tmp_path, 200))
    process.start()
    source = FollowSource(FollowSettings(path=tmp_path, idle_s=1.0))
    source.open()
    frames = taken(source)
    process.join(20)
    assert [frame.index for frame in frames] == list(range(200))
    np.testing.assert_array_equal([frame.pixels for frame in frames], movie(200))
    assert not source.refused


@pytest.mark.parametrize("fill", [False, True])
def test_a_file_that_is_written_byte_by_byte_gives_its_frame_once_it_is_whole(tmp_path, caplog, fill):
    """With `fill`, the file has its length from the start and is zeros where its directory is not written yet."""
    stack = movie(3, size=6)
    write(tmp_path, 0, stack[0])
    write(tmp_path, 1, stack[1])
    whole = write(tmp_path, 2, stack[2]).read_bytes()
    (tmp_path / "img_002.tif").unlink()

    def grow(end: int) -> None:
        rest = bytes(len(whole) - end) if fill else b""
        (tmp_path / "img_002.tif").write_bytes(whole[:end] + rest)

    with tifffile.TiffFile(BytesIO(whole)) as tiff:
        known = tiff.pages.first.tags["StripOffsets"].offset + 8  # from here on, directory and length look whole
    ends = [*range(known), len(whole)] if fill else range(len(whole) + 1)
    source = follow(tmp_path, [lambda end=end: grow(end) for end in ends], idle_s=10.0)
    source.open()
    frames = taken(source)
    assert [frame.index for frame in frames] == [0, 1, 2]
    np.testing.assert_array_equal(frames[2].pixels, stack[2])
    assert not caplog.records


def test_a_file_that_stays_half_written_is_named(tmp_path):
    stack = movie(3)
    for number in range(3):
        path = write(tmp_path, number, stack[number])
    path.write_bytes(path.read_bytes()[:700])
    source, got = follow(tmp_path, idle_s=2.0), []
    source.open()
    with pytest.raises(SourceFault, match=r"half an image in .* for 2 s: img_002\.tif is damaged at page 0") as error:
        got.extend(frame.index for frame in source.frames() if frame)
    assert got == [0, 1]
    assert "idle_s" in error.value.remedy


def test_a_stack_is_followed_page_by_page_and_across_files(tmp_path):
    stack = movie(9)
    first = tifffile.TiffWriter(tmp_path / "part_1.tif")
    second: list[tifffile.TiffWriter] = []

    def page(writer: tifffile.TiffWriter, number: int) -> None:
        writer.write(stack[number], contiguous=False, metadata=None, photometric="minisblack")
        writer.filehandle.flush()

    def next_file() -> None:
        first.close()
        second.append(tifffile.TiffWriter(tmp_path / "part_2.tif"))

    page(first, 0)
    page(first, 1)
    steps = [lambda number=number: page(first, number) for number in range(2, 5)]
    steps += [next_file, *(lambda number=number: page(second[0], number) for number in range(5, 9))]
    source = follow(tmp_path, [*steps, lambda: second[0].close()], idle_s=2.0)
    assert not source.open().verifiable
    frames = taken(source)
    assert [frame.index for frame in frames] == list(range(9))
    np.testing.assert_array_equal([frame.pixels for frame in frames], stack)


def test_a_file_that_comes_late_or_has_another_name_is_counted_and_not_taken(tmp_path):
    stack = movie(5)
    for number in (0, 1, 3):
        write(tmp_path, number, stack[number])
    steps = [
        lambda: write(tmp_path, 2, stack[2]),
        lambda: write(tmp_path, 7, stack[2], "preview_{}.tif"),
        lambda: write(tmp_path, 4, stack[4]),
    ]
    source = follow(tmp_path, steps, idle_s=2.0)
    source.open()
    assert [frame.index for frame in taken(source)] == [0, 1, 3, 4]
    assert dict(source.refused) == {LATE: 1, OTHER_NAME: 1}


def test_a_second_page_where_files_had_one_is_refused(tmp_path):
    stack = movie(4)
    for number in range(2):
        write(tmp_path, number, stack[number])
    source = follow(tmp_path, [lambda: write(tmp_path, 2, stack[2:])])
    source.open()
    with pytest.raises(FrameFormatError, match=r"img_002\.tif in .* has more than one page"):
        taken(source)


def test_a_frame_of_another_shape_is_refused(tmp_path):
    for number, size in enumerate((6, 6, 7)):
        write(tmp_path, number, movie(1, size)[0])
    source = follow(tmp_path)
    source.open()
    with pytest.raises(FrameFormatError, match=r"frame 2 .* has shape"):
        taken(source)


def test_colour_is_named(tmp_path):
    for number in range(2):
        tifffile.imwrite(tmp_path / f"img_{number}.tif", np.zeros((8, 9, 3), np.uint8), photometric="rgb")
    with pytest.raises(SourceFault, match=r"img_0\.tif, page 0 has shape \(8, 9, 3\)"):
        follow(tmp_path, timeout_s=1.0).open()


def test_axes_are_refused_where_there_are_none(tmp_path):
    write(tmp_path, 0, movie(1)[0])
    with pytest.raises(FrameFormatError, match=r"but .* holds TIFF files"):
        follow(tmp_path, axes={"channel": "GFP"}).open()


@pytest.mark.parametrize(("names", "number"), [
    (["a1.tif"], FileNumber("a", ".tif")),
    (["a1_2.tif"], None),
    (["a1_2.tif", "a1_3.tif"], FileNumber("a1_", ".tif")),
    (["a1_2.tif", "a3_2.tif", "a10_2.tif"], FileNumber("a", "_2.tif")),
    (["a1_2.tif", "a2_3.tif"], None),
    (["a1.tif", "b2.tif"], None),
    (["a.tif"], None),
    (["img_09.tif", "img_10.TIF"], None),
])  # fmt: skip
def test_the_number_that_counts(names, number):
    assert counting_number(names) == number


@given(
    st.lists(st.integers(0, 10**9), min_size=2, unique=True), st.integers(1, 12), st.sampled_from(["a", "a7_", "7_"])
)
def test_the_number_of_a_name_is_found_again(numbers, width, before):
    names = [f"{before}{number:0{width}d}.tif" for number in numbers]
    found = counting_number(names)
    assert found is not None
    assert [found.of(name) for name in names] == numbers
