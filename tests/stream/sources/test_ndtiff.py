"""NDTiff as a stack: the contract, the index byte by byte, axes, what is refused."""

import struct
from pathlib import Path

import numpy as np
import pytest
from ndstorage import ndtiff_file

from stream.errors import FrameFormatError
from stream.frame import Frame
from stream.sources.replay import ReplaySettings, ReplaySource
from stream.sources.stacks.ndtiff import INNER
from stream.sources.stacks.ndtiff_index import INDEX, IndexReader
from tests.contracts import SourceContract
from tests.stream.sources.acquisitions import ROOM_BYTES, Writer, over_time, write_ndtiff

FILE = "NDTiffStack.tif"


@pytest.fixture
def expected() -> np.ndarray:
    return np.random.default_rng(4).integers(0, 65536, (7, 12, 20), np.uint16)


def replayed(path: Path) -> list[Frame]:
    source = ReplaySource(ReplaySettings(path=path))
    source.open()
    return [frame for frame in source.frames() if frame is not None]


class NdTiffContract(SourceContract):
    kind = "replay"

    @pytest.fixture
    def settings(self, tmp_path, expected):
        return ReplaySettings(path=self.write(tmp_path / "run", expected))

    @pytest.fixture
    def source(self, settings):
        return ReplaySource(settings)


class TestOneFile(NdTiffContract):
    def write(self, folder, stack):
        return write_ndtiff(folder, over_time(stack))


class TestManyFiles(NdTiffContract):
    """As where one has reached its 4 GB; they hold two images here."""

    def write(self, folder, stack):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ndtiff_file, "MAX_FILE_SIZE", ROOM_BYTES + 2000)
            write_ndtiff(folder, over_time(stack))
        assert len(list(folder.glob("*.tif"))) == 4
        return folder


class TestInTheFolderOfTheFullResolution(NdTiffContract):
    def write(self, folder, stack):
        write_ndtiff(folder / INNER, over_time(stack))
        return folder


def test_index_times_and_stage_are_those_that_were_written(tmp_path, expected):
    writer = Writer(tmp_path / "run")
    for time in (3, 4, 7):
        writer.put(
            {"time": time, "channel": "GFP"}, expected[0],
            **{"ElapsedTime-ms": 20 * time, "ZPosition_um_Intended": 1.5, "Exposure": 19, "PixelSizeUm": 0.108},
        )  # fmt: skip
    writer.finish()
    source = ReplaySource(ReplaySettings(path=tmp_path / "run", rate="recorded"))
    info = source.open()
    assert (info.frames, info.verifiable, info.exposure_ms) == (3, True, 19)
    assert info.pixel_size_nm == pytest.approx(108)
    frames = [frame for frame in source.frames() if frame is not None]
    assert [(frame.index, frame.camera_time_s, frame.stage_z_um) for frame in frames] == [
        (3, 0.06, 1.5), (4, 0.08, 1.5), (7, 0.14, 1.5)
    ]  # fmt: skip


def test_a_sweep_of_the_stage_is_numbered_by_its_order_and_says_so(tmp_path, expected):
    images = [({"time": time, "z": z}, expected[3 * time + z]) for time in range(2) for z in range(3)]
    path = write_ndtiff(tmp_path / "run", images)
    assert not ReplaySource(ReplaySettings(path=path)).open().verifiable
    frames = replayed(path)
    assert [frame.index for frame in frames] == list(range(6))
    np.testing.assert_array_equal([frame.pixels for frame in frames], expected[:6])


def test_eight_bits_are_widened(tmp_path):
    stack = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    frames = replayed(write_ndtiff(tmp_path / "run", over_time(stack)))
    np.testing.assert_array_equal([frame.pixels for frame in frames], stack)
    assert frames[0].pixels.dtype == np.uint16


@pytest.mark.parametrize("axis", ["channel", "position"])
def test_several_channels_or_positions_are_refused_with_a_list_of_them(tmp_path, expected, axis):
    images = [
        ({"time": number // 2, axis: ("one", "two")[number % 2]}, pixels) for number, pixels in enumerate(expected)
    ]
    with pytest.raises(FrameFormatError, match=f"run has more than one {axis}") as error:
        replayed(write_ndtiff(tmp_path / "run", images))
    assert f"{axis} 'one', 'two'" in error.value.limit
    assert f'axes = {{{axis} = "one"}}' in error.value.remedy


def patched(path: Path, number: int, value: int) -> Path:
    """Set one of the eight numbers of each index entry."""
    data, at = bytearray((path / INDEX).read_bytes()), 0
    while at < len(data):
        for _ in range(2):
            at += 4 + struct.unpack_from("<I", data, at)[0]
        struct.pack_into("<I", data, at + 4 * number, value)
        at += 32
    (path / INDEX).write_bytes(data)
    return path


@pytest.mark.parametrize(("number", "value", "named"), [
    (3, 2, "8-bit RGB"), (3, 9, "of type 9"), (4, 1, r"compressed \(method 1\)")
])  # fmt: skip
def test_pixels_that_are_not_camera_counts_are_refused_by_name(tmp_path, expected, number, value, named):
    path = patched(write_ndtiff(tmp_path / "run", over_time(expected)), number, value)
    with pytest.raises(FrameFormatError, match=named) as error:
        ReplaySource(ReplaySettings(path=path)).open()
    assert "8 or 16 bits" in error.value.limit


@pytest.mark.parametrize("fill", [b"", bytes(1000)])
def test_an_index_gives_an_entry_once_all_of_it_is_there(tmp_path, expected, fill):
    whole = (write_ndtiff(tmp_path / "run", over_time(expected)) / INDEX).read_bytes()
    length, growing = len(whole) // 7, tmp_path / INDEX
    growing.write_bytes(fill)
    reader, times = IndexReader(growing), []
    for end in range(len(whole) + 1):
        growing.write_bytes(whole[:end] + fill[: max(0, len(whole) + 100 - end)])
        times += [entry.axes["time"] for entry in reader.read()]
        assert abs(len(times) - end / length) < 1 + 4 / length  # the last number of an entry may be zero
    assert times == list(range(7))
    assert reader.whole is not bool(fill)


@pytest.mark.parametrize(("data", "named"), [
    (b"\xff\xff\xff\xff", "a text of 4294967295 bytes"),
    (struct.pack("<I", 4) + b"{'a'", "not JSON"),
    (struct.pack("<I", 2) + b"\xff\xfe", "not UTF-8"),
    (struct.pack("<I", 2) + b"[]", "not positions by name"),
    (b"\2\0\0\0{}\4\0\0\0../a" + struct.pack("<8I", *range(1, 9)), "not one of its folder"),
])  # fmt: skip
def test_an_index_that_is_none_is_named(tmp_path, data, named):
    (tmp_path / INDEX).write_bytes(data)
    with pytest.raises(FrameFormatError, match=named):
        list(IndexReader(tmp_path / INDEX).read())


def test_a_dataset_that_was_cut_yields_what_is_good_and_names_the_image(tmp_path, expected):
    path = write_ndtiff(tmp_path / "run", over_time(expected))
    with (path / FILE).open("r+b") as file:
        file.truncate((path / FILE).stat().st_size // 2)
    source, taken = ReplaySource(ReplaySettings(path=path)), []
    source.open()
    with pytest.raises(FrameFormatError, match="incomplete at image 3 of its index"):
        taken.extend(frame.index for frame in source.frames() if frame)
    assert taken == [0, 1, 2]


def test_a_file_of_another_version_is_refused(tmp_path, expected):
    path = write_ndtiff(tmp_path / "run", over_time(expected))
    with (path / FILE).open("r+b") as file:
        file.seek(12)
        file.write(struct.pack("<I", 2))
    with pytest.raises(FrameFormatError, match=r"NDTiff 2\.3"):
        replayed(path)


def test_an_axis_that_moves_late_is_numbered_by_order_in_a_whole_dataset(tmp_path, expected):
    images = [({"time": number % 4, "z": number // 4}, pixels) for number, pixels in enumerate(expected)]
    assert [frame.index for frame in replayed(write_ndtiff(tmp_path / "run", images))] == list(range(7))
