"""Replay: the contract for each kind of file, damage, pacing, memory."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
import yaml
from pydantic import ValidationError

from stream.errors import FrameFormatError
from stream.sources.replay import ReplaySettings, ReplaySource
from tests.contracts import SourceContract

ROOT = Path(__file__).parents[3]


@pytest.fixture
def expected() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 65536, (7, 12, 20), np.uint16)


def pages(path: Path, stack: np.ndarray, **options) -> Path:
    """Write each frame as a page of its own, its directory before its pixels."""
    with tifffile.TiffWriter(path, **options) as tiff:
        for frame in stack:
            tiff.write(frame, contiguous=False, metadata=None, photometric="minisblack")
    return path


def read(path: Path, **settings) -> np.ndarray:
    source = ReplaySource(ReplaySettings(path=path, **settings))
    source.open()
    return np.stack([frame.pixels for frame in source.frames() if frame is not None])


def read_until_error(path: Path) -> tuple[list[np.ndarray], FrameFormatError]:
    source = ReplaySource(ReplaySettings(path=path))
    source.open()
    taken = []
    with pytest.raises(FrameFormatError) as error:
        taken.extend(frame.pixels for frame in source.frames() if frame is not None)
    return taken, error.value


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
        note = f"ImageJ=1.54f\nimages={len(stack)}\nframes={len(stack)}\n"
        tifffile.imwrite(folder / "stack.tif", stack[0], byteorder=">", description=note, metadata=None)
        with (folder / "stack.tif").open("ab") as file:
            file.write(stack[1:].astype(">u2").tobytes())
        return folder / "stack.tif"


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


def raw(folder: Path, stack: np.ndarray, **more) -> Path:
    frames, height_px, width_px = stack.shape
    info = {"Byte Order": "<", "Data Type": "uint16", "Frames": frames, "Height": height_px, "Width": width_px}
    (folder / "stack.yaml").write_text(yaml.safe_dump_all([info | more, {"Generated by": "a later step"}]))
    stack.tofile(folder / "stack.raw")
    return folder / "stack.raw"


def ome_set(folder: Path, pieces: list[np.ndarray], first_t: list[int] | None = None, channels: int = 1) -> Path:
    """Write `cell.ome.tif` with OME-XML for all pieces, and the others, which point to it."""
    names = ["cell.ome.tif", *(f"cell_{number}.ome.tif" for number in range(1, len(pieces)))]
    starts = first_t or np.cumsum([0, *map(len, pieces[:-1])]).tolist()
    data = "".join(
        f'<TiffData IFD="{ifd}" FirstT="{start + ifd}"><UUID FileName="{name}">urn:uuid:{name}</UUID></TiffData>'
        for name, piece, start in zip(names, pieces, starts, strict=True)
        for ifd in range(len(piece))
    )
    height_px, width_px = pieces[0].shape[1:]
    count = starts[-1] + len(pieces[-1])
    head = '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
    image = (
        f'<Image ID="Image:0"><Pixels DimensionOrder="XYCZT" ID="Pixels:0" Type="uint16" SizeX="{width_px}" '
        f'SizeY="{height_px}" SizeC="{channels}" SizeZ="1" SizeT="{count}" PhysicalSizeX="0.108" TimeIncrement="30" '
        f'TimeIncrementUnit="ms">{data}<Plane TheZ="0" TheC="0" TheT="0" ExposureTime="25" ExposureTimeUnit="ms"/>'
        "</Pixels></Image></OME>"
    )
    pointer = f'<BinaryOnly MetadataFile="{names[0]}" UUID="urn:uuid:{names[0]}"/></OME>'
    for name, piece in zip(names, pieces, strict=True):
        with tifffile.TiffWriter(folder / name) as tiff:
            note = (head + (image if name == names[0] else pointer)).encode()
            for frame in piece:
                tiff.write(frame, contiguous=False, metadata=None, description=note, photometric="minisblack")
                note = b""
    return folder / names[0]


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


@pytest.mark.parametrize("dtype", ["float32", "int32", "int16", "uint32"])
@pytest.mark.parametrize("name", ["a.tif", "a.npy"])
def test_other_dtypes_are_refused_before_the_first_frame(tmp_path, name, dtype):
    stack = np.zeros((3, 8, 9), dtype)
    np.save(tmp_path / name, stack) if name == "a.npy" else tifffile.imwrite(
        tmp_path / name, stack, photometric="minisblack"
    )
    with pytest.raises(FrameFormatError, match=f"a.* holds pixels of dtype {dtype}") as error:
        ReplaySource(ReplaySettings(path=tmp_path / name)).open()
    assert "uint16 or uint8" in error.value.limit
    assert error.value.remedy


def test_colour_is_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((8, 9, 3), np.uint8), photometric="rgb")
    with pytest.raises(FrameFormatError, match=r"shape \(8, 9, 3\)"):
        read(tmp_path / "a.tif")


@pytest.mark.parametrize("compression", [None, "lzw"])
@pytest.mark.parametrize("keep", [0.35, 0.6, 0.9])
def test_truncated_tiff_yields_what_is_good_and_names_page_and_bytes(tmp_path, expected, keep, compression):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        for frame in expected:
            tiff.write(frame, contiguous=False, metadata=None, compression=compression, photometric="minisblack")
    size = int((tmp_path / "a.tif").stat().st_size * keep)
    os.truncate(tmp_path / "a.tif", size)
    taken, error = read_until_error(tmp_path / "a.tif")
    assert 0 < len(taken) < len(expected)
    np.testing.assert_array_equal(taken, expected[: len(taken)])
    assert f"page {len(taken)}" in error.what
    assert f"{size} bytes" in error.what


def test_truncated_imagej_stack_above_4_gb(tmp_path, expected):
    path = TestImageJWithASingleDirectory().write(tmp_path, expected)
    os.truncate(path, path.stat().st_size - 1000)
    taken, error = read_until_error(path)
    np.testing.assert_array_equal(taken, expected[:4])
    assert "page 5" not in error.what
    assert "page 4" in error.what


def test_broken_compressed_page(tmp_path, expected):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        for frame in expected:
            tiff.write(frame, contiguous=False, metadata=None, compression="zlib", photometric="minisblack")
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        offset = tiff.pages[4].dataoffsets[0]
    with (tmp_path / "a.tif").open("r+b") as file:
        file.seek(offset)
        file.write(b"\xff" * 32)
    taken, error = read_until_error(tmp_path / "a.tif")
    np.testing.assert_array_equal(taken, expected[:4])
    assert "page 4" in error.what


def test_directories_in_a_circle_end(tmp_path, expected):
    pages(tmp_path / "a.tif", expected[:1])
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        first, place = tiff.pages.first.offset, tiff.pages.next_page_offset
    with (tmp_path / "a.tif").open("r+b") as file:
        file.seek(place)
        file.write(first.to_bytes(4, "little"))
    _, error = read_until_error(tmp_path / "a.tif")
    assert "there is no directory" in error.what


@pytest.mark.parametrize("content", [b"", b"II*\0", b"not a tiff at all", b"II*\0\xff\xff\0\0", b"II*\0\0\0\0\0"])
def test_not_a_tiff(tmp_path, content):
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(FrameFormatError, match=r"a\.tif"):
        read(tmp_path / "a.tif")


def test_truncated_raw(tmp_path, expected):
    path = raw(tmp_path, expected)
    os.truncate(path, 3 * 480 + 7)
    taken, error = read_until_error(path)
    np.testing.assert_array_equal(taken, expected[:3])
    assert "page 3: 7 bytes of 480; 7 frames need 3360 bytes, the file has 1447" in error.what


def test_file_that_holds_more_than_its_header_says_is_told(tmp_path, expected):
    path = raw(tmp_path, expected, Frames=5, Pixelsize=130)
    info = ReplaySource(ReplaySettings(path=path)).open()
    assert (info.frames, info.pixel_size_nm) == (5, 130)
    assert "the first 5 of 7 frames" in info.description


@pytest.mark.parametrize(("sidecar", "text"), [("stack.yaml", "Frames: 3"), ("stack.yaml", "a: [")])
def test_incomplete_sidecar_is_named(tmp_path, expected, sidecar, text):
    path = raw(tmp_path, expected)
    (tmp_path / sidecar).write_text(text)
    with pytest.raises(FrameFormatError, match=r"stack\.yaml") as error:
        read(path)
    assert "Byte Order" in error.value.limit


def test_missing_sidecar_is_named(tmp_path):
    (tmp_path / "a.dax").write_bytes(b"")
    with pytest.raises(FrameFormatError, match=r"needs a\.inf beside it"):
        read(tmp_path / "a.dax")


def test_shape_that_changes(tmp_path, expected):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        for frame in [*expected[:2], expected[2][:, :10]]:
            tiff.write(frame, contiguous=False, metadata=None, photometric="minisblack")
    taken, error = read_until_error(tmp_path / "a.tif")
    assert len(taken) == 2
    assert "frame 2" in error.what
    assert "(12, 10)" in error.what
    assert "(12, 20)" in error.limit


def test_no_such_file_names_what_is_there(tmp_path, expected):
    pages(tmp_path / "cell_05.tif", expected)
    with pytest.raises(FrameFormatError, match="no such file") as error:
        read(tmp_path / "cell_5.tif")
    assert "cell_05.tif" in error.value.remedy
    with pytest.raises(FrameFormatError, match="no such file") as error:
        read(tmp_path / "not" / "there" / "a.tif")
    assert f"exists is {tmp_path};" in error.value.limit


def test_format_that_is_not_read(tmp_path):
    (tmp_path / "a.czi").write_bytes(b"x")
    with pytest.raises(FrameFormatError, match=r"\.czi"):
        read(tmp_path / "a.czi")


def test_folder_without_tiff(tmp_path):
    with pytest.raises(FrameFormatError, match="holds no TIFF file"):
        read(tmp_path)


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
