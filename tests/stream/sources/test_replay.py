"""Replay: the contract for each kind of file, what files state of themselves, pacing, memory."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from pydantic import ValidationError

from stream.errors import FrameFormatError
from stream.sources.replay import ReplaySettings, ReplaySource
from tests.contracts import SourceContract
from tests.stream.sources.stacks import imagej_with_one_directory, ome_set, pages, raw, read, some_frames

ROOT = Path(__file__).parents[3]


@pytest.fixture
def expected() -> np.ndarray:
    return some_frames()


class ReplayContract(SourceContract):
    kind = "replay"

    @pytest.fixture
    def settings(self, tmp_path, expected):
        return ReplaySettings(path=self.write(tmp_path, expected))

    @pytest.fixture
    def source(self, settings):
        return ReplaySource(settings)


class TestTiff(ReplayContract):
    def write(self, folder, stack):
        return pages(folder / "stack.tif", stack)


class TestBigEndianBigTiff(ReplayContract):
    def write(self, folder, stack):
        return pages(folder / "stack.btf", stack, bigtiff=True, byteorder=">")


class TestCompressedTiff(ReplayContract):
    def write(self, folder, stack):
        tifffile.imwrite(folder / "stack.tif", stack, compression="lzw", predictor=True, photometric="minisblack")
        return folder / "stack.tif"


class TestImageJ(ReplayContract):
    def write(self, folder, stack):
        tifffile.imwrite(folder / "stack.tif", stack, imagej=True, metadata={"axes": "TYX"})
        return folder / "stack.tif"


class TestImageJWithASingleDirectory(ReplayContract):
    """As ImageJ writes a stack above 4 GB."""

    def write(self, folder, stack):
        return imagej_with_one_directory(folder, stack)


class TestOme(ReplayContract):
    def write(self, folder, stack):
        tifffile.imwrite(folder / "stack.ome.tif", stack, photometric="minisblack", metadata={"axes": "TYX"})
        return folder / "stack.ome.tif"


class TestOmeOfManyFiles(ReplayContract):
    """As Micro-Manager writes it: the first file says which page of which file is which frame."""

    def write(self, folder, stack):
        return ome_set(folder, [stack[:3], stack[3:5], stack[5:]])


class TestOmeOfManyFilesByAnotherThanTheFirst(ReplayContract):
    def write(self, folder, stack):
        ome_set(folder, [stack[:3], stack[3:5], stack[5:]])
        return folder / "cell_1.ome.tif"


class TestFilesThatContinueEachOther(ReplayContract):
    def write(self, folder, stack):
        pages(folder / "stack_1.tif", stack[3:5])
        pages(folder / "stack_2.tif", stack[5:])
        return pages(folder / "stack.tif", stack[:3])


class TestFolder(ReplayContract):
    def write(self, folder, stack):
        (folder / "images").mkdir()
        for number, frame in enumerate(stack, start=7):
            tifffile.imwrite(folder / "images" / f"img_{number}.tif", frame)
        return folder / "images"


class TestRaw(ReplayContract):
    def write(self, folder, stack):
        return raw(folder, stack)


class TestDax(ReplayContract):
    def write(self, folder, stack):
        stack.astype(">u2").tofile(folder / "stack.dax")
        lines = "data type = 16 bit integers (binary, big endian)", "frame dimensions = 20 x 12", "number of frames = 7"
        (folder / "stack.inf").write_text("binning = 1 x 1\n" + "\n".join(lines))
        return folder / "stack.dax"


class TestNpy(ReplayContract):
    def write(self, folder, stack):
        np.save(folder / "stack.npy", stack)
        return folder / "stack.npy"


def test_ome_planes_that_were_not_recorded_are_a_gap(tmp_path, expected):
    source = ReplaySource(ReplaySettings(path=ome_set(tmp_path, [expected[:3], expected[3:]], first_t=[0, 10])))
    assert source.open().frames == 7
    assert [frame.index for frame in source.frames() if frame] == [0, 1, 2, 10, 11, 12, 13]


def test_ome_states_times_and_pixel_size(tmp_path, expected):
    info = ReplaySource(ReplaySettings(path=ome_set(tmp_path, [expected]), rate="recorded")).open()
    assert (info.exposure_ms, info.pixel_size_nm, info.waits) == (pytest.approx(25), pytest.approx(108), False)


def test_ome_file_of_the_set_is_missing(tmp_path, expected):
    path = ome_set(tmp_path, [expected[:3], expected[3:]])
    (tmp_path / "cell_1.ome.tif").unlink()
    with pytest.raises(FrameFormatError, match=r"cell_1\.ome\.tif is missing"):
        read(path)


@pytest.mark.parametrize("write", [
    lambda folder, stack: ome_set(folder, [stack], channels=2),
    lambda folder, stack: tifffile.imwrite(folder / "cell.ome.tif", stack[:6].reshape(3, 2, 12, 20), imagej=True,
                                           metadata={"axes": "TCYX"}),
])  # fmt: skip
def test_two_channels_are_refused(tmp_path, expected, write):
    write(tmp_path, expected)
    with pytest.raises(FrameFormatError, match="2 channels"):
        read(tmp_path / "cell.ome.tif")


def test_micro_manager_states_times_and_pixel_size(tmp_path, expected):
    with tifffile.TiffWriter(tmp_path / "stack.tif") as tiff:
        for number, frame in enumerate(expected):
            note = f'{{"ElapsedTime-ms": {100 + 20 * number}, "Exposure-ms": 19.5, "PixelSizeUm": 0.16}}'
            tag = (51123, 2, None, note, True)
            tiff.write(frame, contiguous=False, metadata=None, extratags=[tag], photometric="minisblack")
    source = ReplaySource(ReplaySettings(path=tmp_path / "stack.tif", rate="recorded"))
    info = source.open()
    assert (info.exposure_ms, info.pixel_size_nm) == (pytest.approx(19.5), pytest.approx(160))
    assert source._period_s == pytest.approx(0.02)


def test_imagej_states_interval_and_pixel_size(tmp_path, expected):
    about = {"axes": "TYX", "finterval": 0.05, "unit": "um"}
    tifffile.imwrite(tmp_path / "a.tif", expected, imagej=True, resolution=(1 / 0.1, 1 / 0.1), metadata=about)
    source = ReplaySource(ReplaySettings(path=tmp_path / "a.tif", rate="recorded"))
    assert source.open().pixel_size_nm == pytest.approx(100)
    assert source._period_s == pytest.approx(0.05)


def test_uint8_is_widened(tmp_path):
    stack = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric="minisblack")
    np.testing.assert_array_equal(read(tmp_path / "a.tif"), stack.astype(np.uint16))


class Clock:
    """A clock that only runs while someone sleeps."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        assert seconds <= 0.05
        self.now_s += seconds


def test_pacing_yields_each_frame_when_it_is_due_and_none_in_between(tmp_path, expected):
    clock = Clock()
    source = ReplaySource(ReplaySettings(path=pages(tmp_path / "a.tif", expected), rate=5), clock, clock.sleep)
    assert not source.open().waits
    yielded = list(source.frames())
    times = [frame.host_time_s - 100 for frame in yielded if frame is not None]
    np.testing.assert_allclose(times, np.arange(7) / 5, atol=1e-9)
    assert yielded.count(None) >= 6 * 3


def test_as_fast_as_possible_never_sleeps(tmp_path, expected):
    clock = Clock()
    source = ReplaySource(ReplaySettings(path=pages(tmp_path / "a.tif", expected)), clock, clock.sleep)
    assert source.open().waits
    assert None not in list(source.frames())
    assert clock.now_s == 100.0


def test_recorded_rate_is_refused_where_none_was_recorded(tmp_path, expected):
    path = pages(tmp_path / "a.tif", expected)
    with pytest.raises(FrameFormatError, match="does not state the interval") as error:
        read(path, rate="recorded")
    assert "rate = 20" in error.value.remedy


@pytest.mark.parametrize("rate", [0, -1, float("inf"), float("nan"), "fast"])
def test_rates_that_make_no_sense(rate):
    with pytest.raises(ValidationError):
        ReplaySettings(path=Path("a.tif"), rate=rate)


MEMORY = """
import sys
from pathlib import Path
import psutil
from stream.sources.replay import ReplaySettings, ReplaySource
source = ReplaySource(ReplaySettings(path=Path(sys.argv[1])))
frames, process, count = source.frames, psutil.Process(), 0
assert source.open().frames == 160
for frame in frames():
    count += 1
    if count == 8:
        before = process.memory_info().rss
assert count == 160
print(process.memory_info().rss - before)
"""


@pytest.mark.parametrize("name", ["stack.btf", "stack.raw"])
def test_memory_is_that_of_a_few_frames_however_long_the_stack(tmp_path, name):
    if name == "stack.raw":
        path = raw(tmp_path, np.zeros((1, 1024, 1024), np.uint16), Frames=160)
        os.truncate(path, 160 * 2**21)  # 320 MB that take no space on the disk
    else:
        path = pages(
            tmp_path / name, np.broadcast_to(np.zeros((1024, 1024), np.uint16), (160, 1024, 1024)), bigtiff=True
        )
    grown = int(subprocess.check_output([sys.executable, "-c", MEMORY, path], cwd=ROOT, text=True))
    assert grown < 5 * 2**21


@pytest.mark.shared_data
@pytest.mark.parametrize("name", [
    "smfret-tirf/fix_acceptor_y40_x300_300f.tif",
    "thunderstorm-synth/kept/sparse_108nm.tif",
    "table-formats/images.tif",
])  # fmt: skip
def test_real_tiff(shared_data, name):
    np.testing.assert_array_equal(read(shared_data / name), tifffile.imread(shared_data / name))


@pytest.mark.shared_data
def test_real_raw(shared_data):
    path = shared_data / "picasso" / "testdata.raw"
    np.testing.assert_array_equal(read(path), np.fromfile(path, "<u2").reshape(100, 32, 32))


@pytest.mark.shared_data
def test_real_dax(shared_data):
    stack = read(shared_data / "scmos-storm" / "sample.dax")
    assert stack.shape == (10, 256, 256)
    assert 90 < np.median(stack) < 130  # the camera's offset: wrong byte order would give tens of thousands


@pytest.mark.shared_data
def test_real_spe(shared_data):
    folder = shared_data / "sdt-crocker-grier"
    with np.load(folder / "pMHC_AF647_200k_000_.npz") as archive:
        np.testing.assert_array_equal(read(folder / "pMHC_AF647_200k_000_.SPE"), archive["frames"])
